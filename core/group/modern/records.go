package modern

import (
	"encoding/binary"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/coord/coding"
)

// Kind is the version of a record's key, which says what kind of record it is (Kafka's CoordinatorRecordType).
type Kind int16

// The kinds of record of consumer groups.
const (
	KindGroup     Kind = 3  // ConsumerGroupMetadata: the group epoch
	KindTopics    Kind = 4  // ConsumerGroupPartitionMetadata: replaced by a hash in KindGroup (KIP-1101); read and skipped
	KindMember    Kind = 5  // ConsumerGroupMemberMetadata
	KindTarget    Kind = 6  // ConsumerGroupTargetAssignmentMetadata: the assignment epoch
	KindTargetOf  Kind = 7  // ConsumerGroupTargetAssignmentMember
	KindCurrentOf Kind = 8  // ConsumerGroupCurrentMemberAssignment
	KindRegex     Kind = 16 // ConsumerGroupRegularExpression
)

// Key is a record's key.
type Key struct {
	Kind  Kind
	Group string
	Name  string // the member id, or the expression; empty for kinds that have one record per group
}

// named reports whether a kind's key has a name.
func (k Kind) named() bool {
	return k == KindMember || k == KindTargetOf || k == KindCurrentOf || k == KindRegex
}

// IsModern reports whether keys of a version belong to consumer groups.
func IsModern(version int16) bool {
	return version >= int16(KindGroup) && version <= int16(KindCurrentOf) || version == int16(KindRegex)
}

// AppendTo appends the key.
func (k Key) AppendTo(dst []byte) []byte {
	dst = coding.AppendStr(binary.BigEndian.AppendUint16(dst, uint16(k.Kind)), k.Group)
	if k.Kind.named() {
		dst = coding.AppendStr(dst, k.Name)
	}
	return dst
}

// ParseKey reads a key of a version for which [IsModern] holds.
func ParseKey(key []byte) (Key, error) {
	r := coding.Reader{Buf: key}
	k := Key{Kind: Kind(r.Int16()), Group: r.Str()}
	if k.Kind.named() {
		k.Name = r.Str()
	}
	return k, r.Err()
}

// All values have version 0, which is flexible.
func appendVersion(dst []byte) []byte { return append(dst, 0, 0) }

func readVersion(value []byte) (*coding.Reader, error) {
	r := &coding.Reader{Buf: value}
	if version := r.Int16(); version != 0 || r.Bad {
		return nil, coding.ErrVersion
	}
	return r, nil
}

func appendNullStr(dst []byte, s *string) []byte {
	if s == nil {
		return append(dst, 0)
	}
	return coding.AppendCompactStr(dst, *s)
}

func appendLen(dst []byte, n int) []byte { return binary.AppendUvarint(dst, uint64(n)+1) }

// appendTag64 appends a section of tagged fields with one int64 under tag 0, or an empty one if it is zero.
func appendTag64(dst []byte, v int64) []byte {
	if v == 0 {
		return append(dst, 0)
	}
	return binary.BigEndian.AppendUint64(append(dst, 1, 0, 8), uint64(v))
}

func readTag64(r *coding.Reader) (v int64) {
	r.Tags(func(tag uint32, body *coding.Reader) {
		if tag == 0 {
			v = body.Int64()
		}
	})
	return v
}

// epochValue is the value of KindGroup (group epoch and metadata hash) and of KindTarget (assignment epoch and the instant at
// which the target was computed): both have an int32 and a tagged int64.
type epochValue struct {
	epoch  int32
	tagged int64
}

func (v epochValue) appendTo(dst []byte) []byte {
	return appendTag64(binary.BigEndian.AppendUint32(appendVersion(dst), uint32(v.epoch)), v.tagged)
}

func parseEpoch(value []byte) (v epochValue, err error) {
	r, err := readVersion(value)
	if err != nil {
		return v, err
	}
	v.epoch, v.tagged = r.Int32(), readTag64(r)
	return v, r.Err()
}

// appendMember appends the value of KindMember: what the member has told of itself.
func appendMember(dst []byte, m *Member) []byte {
	dst = appendNullStr(appendNullStr(appendVersion(dst), m.InstanceID), m.RackID)
	dst = coding.AppendCompactStr(coding.AppendCompactStr(dst, m.ClientID), m.ClientHost)
	dst = appendLen(dst, len(m.Topics))
	for _, topic := range m.Topics {
		dst = coding.AppendCompactStr(dst, topic)
	}
	dst = coding.AppendCompactStr(dst, m.Regex) // Kafka writes none as empty, and reads null as well
	dst = binary.BigEndian.AppendUint32(dst, uint32(m.RebalanceTimeoutMs))
	dst = appendNullStr(dst, m.ServerAssignor)
	if m.Classic == nil {
		return append(dst, 0)
	}
	body := appendClassic([]byte{1}, m.Classic) // a struct that can be null begins with 1
	dst = binary.AppendUvarint(append(dst, 1, 0), uint64(len(body)))
	return append(dst, body...)
}

func appendClassic(dst []byte, c *ClassicMember) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(c.SessionTimeoutMs))
	dst = appendLen(dst, len(c.Protocols))
	for _, p := range c.Protocols {
		dst = coding.AppendCompactStr(dst, p.Name)
		dst = append(appendLen(dst, len(p.Metadata)), p.Metadata...)
		dst = append(dst, 0)
	}
	return append(dst, 0)
}

// parseMember reads what [appendMember] wrote into m.
func parseMember(value []byte, m *Member) error {
	r, err := readVersion(value)
	if err != nil {
		return err
	}
	m.InstanceID, m.RackID, m.ClientID, m.ClientHost = r.CompactNullStr(), r.CompactNullStr(), r.CompactStr(), r.CompactStr()
	m.Topics = readStrings(r)
	m.Regex = ""
	if re := r.CompactNullStr(); re != nil {
		m.Regex = *re
	}
	m.RebalanceTimeoutMs, m.ServerAssignor, m.Classic = r.Int32(), r.CompactNullStr(), nil
	r.Tags(func(tag uint32, body *coding.Reader) {
		if tag == 0 {
			m.Classic = parseClassic(body)
		}
	})
	return r.Err()
}

func readStrings(r *coding.Reader) (list []string) {
	for range r.CompactLen(1) {
		list = append(list, r.CompactStr())
	}
	slices.Sort(list)
	return list
}

func parseClassic(r *coding.Reader) *ClassicMember {
	if len(r.Buf) == 0 || r.Buf[0] != 1 {
		return nil
	}
	r.Buf = r.Buf[1:]
	c := &ClassicMember{SessionTimeoutMs: r.Int32()}
	for range r.CompactLen(3) {
		p := ClassicProtocol{Name: r.CompactStr(), Metadata: slices.Clone(r.CompactBytes())}
		r.Tags(nil)
		c.Protocols = append(c.Protocols, p)
	}
	r.Tags(nil)
	return c
}

// appendTarget appends the value of KindTargetOf: one member's partitions, ascending.
func appendTarget(dst []byte, list []Partition) []byte {
	dst = appendVersion(dst)
	dst = appendLen(dst, countTopics(len(list), func(i int) core.TopicID { return list[i].Topic }))
	for start := 0; start < len(list); {
		end := start
		for end < len(list) && list[end].Topic == list[start].Topic {
			end++
		}
		dst = append(dst, list[start].Topic[:]...)
		dst = appendLen(dst, end-start)
		for _, p := range list[start:end] {
			dst = binary.BigEndian.AppendUint32(dst, uint32(p.Index))
		}
		dst = append(dst, 0)
		start = end
	}
	return append(dst, 0)
}

func countTopics(n int, topic func(i int) core.TopicID) (topics int) {
	for i := range n {
		if i == 0 || topic(i) != topic(i-1) {
			topics++
		}
	}
	return topics
}

// leastTopic is the smallest encoding of a topic with its partitions: id, an empty array, no tags.
const leastTopic = 16 + 1 + 1

func parseTarget(value []byte) (list []Partition, err error) {
	r, err := readVersion(value)
	if err != nil {
		return nil, err
	}
	for range r.CompactLen(leastTopic) {
		topic := r.UUID()
		for range r.CompactLen(4) {
			list = append(list, Partition{Topic: topic, Index: r.Int32()})
		}
		r.Tags(nil)
	}
	r.Tags(nil)
	slices.SortFunc(list, Partition.Compare)
	return slices.Compact(list), r.Err()
}

// appendCurrent appends the value of KindCurrentOf: how far the member is.
func appendCurrent(dst []byte, m *Member) []byte {
	dst = binary.BigEndian.AppendUint32(appendVersion(dst), uint32(m.Epoch))
	dst = append(binary.BigEndian.AppendUint32(dst, uint32(m.PreviousEpoch)), byte(m.State))
	return append(appendHeld(appendHeld(dst, m.Assigned), m.Revoking), 0)
}

func appendHeld(dst []byte, list []Held) []byte {
	dst = appendLen(dst, countTopics(len(list), func(i int) core.TopicID { return list[i].Topic }))
	for start := 0; start < len(list); {
		end := start
		for end < len(list) && list[end].Topic == list[start].Topic {
			end++
		}
		dst = append(dst, list[start].Topic[:]...)
		dst = appendLen(dst, end-start)
		for _, h := range list[start:end] {
			dst = binary.BigEndian.AppendUint32(dst, uint32(h.Index))
		}
		body := appendLen(nil, end-start)
		for _, h := range list[start:end] {
			body = binary.BigEndian.AppendUint32(body, uint32(h.Since))
		}
		dst = binary.AppendUvarint(append(dst, 1, 0), uint64(len(body)))
		dst = append(dst, body...)
		start = end
	}
	return dst
}

// parseCurrent reads what [appendCurrent] wrote into m.
func parseCurrent(value []byte, m *Member) error {
	r, err := readVersion(value)
	if err != nil {
		return err
	}
	m.Epoch, m.PreviousEpoch = r.Int32(), r.Int32()
	state := readInt8(r)
	m.Assigned, m.Revoking = readHeld(r, m.Epoch), readHeld(r, m.Epoch)
	r.Tags(nil)
	// A state of a later version means what its partitions say: the next heartbeat computes the rest anew. Kafka fences such
	// a member.
	switch m.State = MemberState(state); {
	case len(m.Revoking) > 0:
		m.State = Unrevoked
	case m.State != Stable:
		m.State = Unreleased
	}
	return r.Err()
}

func readInt8(r *coding.Reader) int8 {
	if len(r.Buf) == 0 {
		r.Bad = true
		return 0
	}
	b := r.Buf[0]
	r.Buf = r.Buf[1:]
	return int8(b)
}

// readHeld reads partitions with their assignment epochs. Writers before KIP-1251 had none: then the member's epoch counts,
// which refuses every older commit, as they did.
func readHeld(r *coding.Reader, epoch int32) (list []Held) {
	for range r.CompactLen(leastTopic) {
		topic, from := r.UUID(), len(list)
		for range r.CompactLen(4) {
			list = append(list, Held{Partition: Partition{Topic: topic, Index: r.Int32()}, Since: epoch})
		}
		r.Tags(func(tag uint32, body *coding.Reader) {
			if tag != 0 {
				return
			}
			n := body.CompactLen(4)
			for i := range min(n, len(list)-from) {
				list[from+i].Since = body.Int32()
			}
		})
	}
	slices.SortFunc(list, func(a, b Held) int { return a.Compare(b.Partition) })
	return slices.CompactFunc(list, func(a, b Held) bool { return a.Partition == b.Partition })
}

// Resolved is what a regular expression matched.
type Resolved struct {
	Topics  []string // ascending
	Version int64    // of [Topics] when it was resolved
	At      core.Wall
}

func (v *Resolved) appendTo(dst []byte) []byte {
	dst = appendLen(appendVersion(dst), len(v.Topics))
	for _, topic := range v.Topics {
		dst = coding.AppendCompactStr(dst, topic)
	}
	dst = binary.BigEndian.AppendUint64(dst, uint64(v.Version))
	return append(binary.BigEndian.AppendUint64(dst, uint64(v.At)), 0)
}

func parseResolved(value []byte) (*Resolved, error) {
	r, err := readVersion(value)
	if err != nil {
		return nil, err
	}
	v := &Resolved{Topics: readStrings(r), Version: r.Int64(), At: core.Wall(r.Int64())}
	r.Tags(nil)
	return v, r.Err()
}
