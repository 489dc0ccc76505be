package compact

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"

	"github.com/klamm-log/klamm/core"
)

// hash stands for a key: 128 bits of its SHA-256. Two keys with the same hash would count as one and the older record
// would be lost; keys are chosen by clients, so the function must be one for which nobody can find two.
type hash [16]byte

// slot is one place of the table.
type slot struct {
	key hash
	// last is the key's last offset plus one; 0 says that the place is free.
	last core.Offset
}

// slotBytes is the memory that one place takes; the same as in Kafka's SkimpyOffsetMap.
const slotBytes = 24

// Map remembers the last offset of each key in memory that is fixed when it is made. It is an open hash table without
// removal.
type Map struct {
	slots []slot
	used  int64
	limit int64
}

// leastKeys is the capacity that every map has, whatever memory is allowed: a round must get on.
const leastKeys = 16

// NewMap is an empty map within the given memory (log.cleaner.dedupe.buffer.size), used up to the load in millionths
// (log.cleaner.io.buffer.load.factor). It is made no larger than for the given number of keys.
func NewMap(memory, load, keys int64) *Map {
	load = max(1, min(load, 1_000_000))
	places := max(memory/slotBytes, leastKeys)
	// The last term lets all keys fit at that load.
	places = min(places, max(keys, leastKeys)*1_000_000/load+1)
	limit := max(1, min(places-1, places*load/1_000_000)) // one place stays free: it ends every search
	return &Map{slots: make([]slot, places), limit: limit}
}

// Put remembers the offset as the key's last one. It reports false, and remembers nothing, if the key is new and the map
// is full.
func (m *Map) Put(key []byte, o core.Offset) bool {
	s := m.find(key)
	if s.last == 0 {
		if m.used >= m.limit {
			return false
		}
		m.used++
		s.key = hashOf(key)
	}
	s.last = o + 1
	return true
}

// Last is the last offset that was put for the key, or NoOffset.
func (m *Map) Last(key []byte) core.Offset { return m.find(key).last - 1 }

// Keys is the number of keys.
func (m *Map) Keys() int64 { return m.used }

// find is the place that has the key, or the free one where it would stand.
func (m *Map) find(key []byte) *slot {
	h := hashOf(key)
	i, _ := bits.Mul64(binary.BigEndian.Uint64(h[:]), uint64(len(m.slots)))
	for m.slots[i].last != 0 && m.slots[i].key != h {
		if i++; i == uint64(len(m.slots)) {
			i = 0
		}
	}
	return &m.slots[i]
}

func hashOf(key []byte) hash {
	sum := sha256.Sum256(key)
	return hash(sum[:16])
}
