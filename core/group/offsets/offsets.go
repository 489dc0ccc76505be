// Package offsets is the store of committed offsets of one coordinator partition: a fold over its offset records.
//
// # State
//
// Per group and topic partition there is at most one committed offset. Offsets of transactions that have not ended wait per
// producer id (KIP-447): a commit marker moves them over, an abort marker drops them.
//
// # Invariants
//
//   - What is stored was put there by [Store.Replay] or [Store.EndTxn].
//   - Of two offsets of one partition the one whose record came later counts, also when a transaction that committed the
//     earlier one ends after it (KAFKA-7296): a marker's place in the log says nothing about when its offsets were written.
//   - Every group with an open transaction is in open, and no other.
//
// Who may commit and when offsets expire is decided by core/group.
package offsets

import (
	"iter"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/group/records"
	"github.com/klamm-log/klamm/core/ordmap"
)

// Committed is one committed offset.
type Committed struct {
	records.OffsetValue
	At core.Offset // of the record that committed it
}

// perGroup are the offsets of one group.
type perGroup = ordmap.Map[core.TopicPartition, Committed]

// Store is the fold. Make it with [New].
type Store struct {
	groups  *ordmap.Map[string, *perGroup]
	pending *ordmap.Map[core.ProducerID, *ordmap.Map[string, *perGroup]]
	open    map[string]int // open transactions per group, for those that have any
	count   int
}

// New is an empty store.
func New() *Store {
	return &Store{
		groups:  ordmap.Ordered[string, *perGroup](),
		pending: ordmap.Ordered[core.ProducerID, *ordmap.Map[string, *perGroup]](),
		open:    make(map[string]int),
	}
}

// Replay applies one offset record; a nil value is a tombstone. producer is [core.NoProducerID] outside transactions.
func (s *Store) Replay(key records.OffsetKey, value *records.OffsetValue, at core.Offset, producer core.ProducerID) {
	tp := core.TopicPartition{Topic: key.Topic, Partition: key.Partition}
	switch {
	case value == nil:
		s.remove(key.Group, tp)
	case producer == core.NoProducerID:
		s.put(key.Group, tp, Committed{OffsetValue: *value, At: at})
	default:
		groups := s.pending.At(producer)
		if groups == nil {
			groups = ordmap.Ordered[string, *perGroup]()
			s.pending.Set(producer, groups)
		}
		if !groups.Has(key.Group) {
			s.open[key.Group]++
		}
		offsetsOf(groups, key.Group).Set(tp, Committed{OffsetValue: *value, At: at})
	}
}

// EndTxn applies a transaction marker of a producer. The answer are the groups that it had offsets for, in order.
func (s *Store) EndTxn(producer core.ProducerID, commit bool) (touched []string) {
	groups := s.pending.At(producer)
	if groups == nil {
		return nil
	}
	s.pending.Delete(producer)
	for group, offsets := range groups.All() {
		s.closeTxn(group)
		touched = append(touched, group)
		if !commit {
			continue
		}
		for tp, c := range offsets.All() {
			if old, has := s.Get(group, tp); !has || c.At > old.At {
				s.put(group, tp, c)
			}
		}
	}
	return touched
}

func (s *Store) put(group string, tp core.TopicPartition, c Committed) {
	offsets := offsetsOf(s.groups, group)
	if !offsets.Has(tp) {
		s.count++
	}
	offsets.Set(tp, c)
}

// remove takes an offset away, the pending ones of open transactions too: their partition is gone, or its owner wants the
// offset forgotten.
func (s *Store) remove(group string, tp core.TopicPartition) {
	if offsets := s.groups.At(group); offsets != nil && offsets.Has(tp) {
		s.count--
		offsets.Delete(tp)
		if offsets.Len() == 0 {
			s.groups.Delete(group)
		}
	}
	if s.open[group] == 0 {
		return
	}
	for producer, groups := range s.pending.All() {
		offsets := groups.At(group)
		if offsets == nil {
			continue
		}
		offsets.Delete(tp)
		if offsets.Len() > 0 {
			continue
		}
		groups.Delete(group)
		s.closeTxn(group)
		if groups.Len() == 0 {
			s.pending.Delete(producer)
		}
	}
}

func (s *Store) closeTxn(group string) {
	if s.open[group]--; s.open[group] == 0 {
		delete(s.open, group)
	}
}

func offsetsOf(groups *ordmap.Map[string, *perGroup], group string) *perGroup {
	offsets := groups.At(group)
	if offsets == nil {
		offsets = ordmap.New[core.TopicPartition, Committed](core.TopicPartition.Compare)
		groups.Set(group, offsets)
	}
	return offsets
}

// Get is one committed offset, and whether there is one.
func (s *Store) Get(group string, tp core.TopicPartition) (Committed, bool) {
	if offsets := s.groups.At(group); offsets != nil {
		return offsets.Get(tp)
	}
	return Committed{}, false
}

// Has reports whether a group has committed offsets, or pending ones.
func (s *Store) Has(group string) bool { return s.groups.Has(group) || s.open[group] > 0 }

// InTxn reports whether a group has offsets in a transaction that has not ended.
func (s *Store) InTxn(group string) bool { return s.open[group] > 0 }

// Pending reports whether a transaction that has not ended has an offset for the partition: what is committed is not stable
// (KIP-447).
func (s *Store) Pending(group string, tp core.TopicPartition) bool {
	if s.open[group] == 0 {
		return false
	}
	for _, groups := range s.pending.All() {
		if offsets := groups.At(group); offsets != nil && offsets.Has(tp) {
			return true
		}
	}
	return false
}

// Group are the committed offsets of one group, by partition.
func (s *Store) Group(group string) iter.Seq2[core.TopicPartition, Committed] {
	return func(yield func(core.TopicPartition, Committed) bool) {
		offsets := s.groups.At(group)
		if offsets == nil {
			return
		}
		for tp, c := range offsets.All() {
			if !yield(tp, c) {
				return
			}
		}
	}
}

// PendingOf are the offsets of one group in transactions that have not ended, by producer and partition. A partition may come
// more than once.
func (s *Store) PendingOf(group string) iter.Seq2[core.TopicPartition, Committed] {
	return func(yield func(core.TopicPartition, Committed) bool) {
		if s.open[group] == 0 {
			return
		}
		for _, groups := range s.pending.All() {
			offsets := groups.At(group)
			if offsets == nil {
				continue
			}
			for tp, c := range offsets.All() {
				if !yield(tp, c) {
					return
				}
			}
		}
	}
}

// Groups are the groups that have committed offsets, in order.
func (s *Store) Groups() iter.Seq[string] {
	return func(yield func(string) bool) {
		for group := range s.groups.All() {
			if !yield(group) {
				return
			}
		}
	}
}

// OpenTxns are the transactions that have not ended, as pairs of producer and group, in order.
func (s *Store) OpenTxns() iter.Seq2[core.ProducerID, string] {
	return func(yield func(core.ProducerID, string) bool) {
		for producer, groups := range s.pending.All() {
			for group := range groups.All() {
				if !yield(producer, group) {
					return
				}
			}
		}
	}
}

// PendingIn are the offsets of one group in one producer's transaction.
func (s *Store) PendingIn(producer core.ProducerID, group string) iter.Seq2[core.TopicPartition, Committed] {
	return func(yield func(core.TopicPartition, Committed) bool) {
		groups := s.pending.At(producer)
		if groups == nil {
			return
		}
		if offsets := groups.At(group); offsets != nil {
			offsets.All()(yield)
		}
	}
}

// Len is the number of committed offsets.
func (s *Store) Len() int { return s.count }
