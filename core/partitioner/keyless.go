package partitioner

import "github.com/klamm-log/klamm/core/prng"

// RoundRobin places records on the available partitions in turn, whatever their keys (Java's RoundRobinPartitioner).
// The zero value begins with the first partition.
type RoundRobin struct{ count int64 }

// Partition returns the next partition in turn.
func (r *RoundRobin) Partition(v View, _ []byte) int32 {
	n := r.count
	r.count = (n + 1) & (1<<62 - 1)
	if len(v.Available) > 0 {
		return v.Available[n%int64(len(v.Available))]
	}
	return int32(n % int64(v.Partitions))
}

// Appended does nothing: a batch's end does not move the turn. (KAFKA-9965: Java's client once asked the partitioner
// again when a batch was opened, and so skipped every other partition.)
func (r *RoundRobin) Appended(View, int32, int64, bool) {}

// Sticky is the partitioner of KIP-480: keyed records go by [ForKey], the others stay on one random partition until a
// batch is opened on it, which means that the one before it is complete.
type Sticky struct {
	rand    *prng.Rand
	current int32
	fresh   bool // current was chosen, and no record has gone there since
	chosen  bool
}

// NewSticky makes a partitioner for one topic.
func NewSticky(r *prng.Rand) *Sticky { return &Sticky{rand: r} }

// Partition returns the key's partition, or the current one.
func (s *Sticky) Partition(v View, key []byte) int32 {
	if key != nil {
		return ForKey(key, v.Partitions)
	}
	if !s.chosen || s.current >= v.Partitions {
		s.current, s.chosen, s.fresh = uniform(v, s.rand), true, true
	}
	return s.current
}

// Appended moves on after a record has opened a second batch on the current partition. The record that opened it stays
// there alone until the batch is sent with what else arrives by key; Java avoids that by asking twice.
func (s *Sticky) Appended(v View, p int32, _ int64, newBatch bool) {
	if !s.chosen || p != s.current {
		return
	}
	if newBatch && !s.fresh {
		s.current, s.fresh = another(v, s.rand, s.current), true
		return
	}
	s.fresh = false
}

// UniformSticky is the partitioner of KIP-794: keyed records go by [ForKey]; the others stay on one random partition
// until it has got a batch's worth of bytes. So partitions get equal amounts, where KIP-480 gives slow ones more. With
// adaptive choice, partitions with longer queues are chosen less often, in proportion.
type UniformSticky struct {
	rand     *prng.Rand
	batch    int64 // bytes after which the partition changes
	adaptive bool
	current  int32
	produced int64 // bytes of records that went to current since it was chosen
	chosen   bool
}

// NewUniformSticky makes a partitioner for one topic. The partition changes after batchSize bytes; adaptive lets
// [View.Queued] weigh the choice.
func NewUniformSticky(r *prng.Rand, batchSize int64, adaptive bool) *UniformSticky {
	return &UniformSticky{rand: r, batch: max(batchSize, 1), adaptive: adaptive}
}

// Partition returns the key's partition, or the current one.
func (u *UniformSticky) Partition(v View, key []byte) int32 {
	if key != nil {
		return ForKey(key, v.Partitions)
	}
	if !u.chosen || u.current >= v.Partitions {
		u.choose(v)
	}
	return u.current
}

// Appended counts the bytes. KIP-794: the partition changes at a batch boundary once batch.size has been produced, so
// that no fraction of a batch is left behind, and at twice batch.size in any case (keyed records may keep moving the
// boundary).
func (u *UniformSticky) Appended(v View, p int32, bytes int64, newBatch bool) {
	if !u.chosen || p != u.current {
		return
	}
	u.produced += bytes
	if u.produced >= u.batch && newBatch || u.produced >= 2*u.batch {
		u.choose(v)
	}
}

func (u *UniformSticky) choose(v View) {
	u.produced, u.chosen = 0, true
	if u.adaptive && len(v.Queued) == len(v.Available) && len(v.Available) > 1 {
		u.current = weighted(v, u.rand)
		return
	}
	u.current = uniform(v, u.rand)
}

// uniform draws an available partition, or any if none is available: its records wait for a leader.
func uniform(v View, r *prng.Rand) int32 {
	if n := int64(len(v.Available)); n > 0 {
		return v.Available[r.Below(n)]
	}
	return int32(r.Below(int64(v.Partitions)))
}

// another draws a partition other than the last one, unless there is no other.
func another(v View, r *prng.Rand, last int32) int32 {
	n := int64(len(v.Available))
	if n == 0 {
		return uniform(v, r)
	}
	if n == 1 {
		return v.Available[0]
	}
	i := r.Below(n)
	if v.Available[i] == last { // draw among the n-1 others: the next one stands in for the last
		i = (i + 1 + r.Below(n-1)) % n
	}
	return v.Available[i]
}

// weighted draws an available partition with a weight of (longest queue + 1 - its queue), KIP-794: a partition with
// the longest queue still has the weight 1.
func weighted(v View, r *prng.Rand) int32 {
	longest := int64(0)
	for _, q := range v.Queued {
		longest = max(longest, int64(q))
	}
	total := int64(0)
	for _, q := range v.Queued {
		total += longest + 1 - int64(q)
	}
	at := r.Below(total)
	for i, q := range v.Queued {
		at -= longest + 1 - int64(q)
		if at < 0 {
			return v.Available[i]
		}
	}
	return v.Available[len(v.Available)-1]
}
