package txn

import (
	"slices"

	"github.com/klamm-log/klamm/core"
)

// Marker is what is to be written to the partitions of one transaction (WriteTxnMarkers).
type Marker struct {
	ID         string // transactional id; with Producer it names the transaction in the answers
	Producer   Producer
	Commit     bool
	Version    Version          // 2: a partition takes it only if its epoch is above the last one there (KIP-1228)
	Epoch      core.LeaderEpoch // the coordinator's
	Partitions []core.TopicPartition
}

// The pauses between attempts to write the markers of one transaction.
const (
	firstBackoff = 20 * core.Millisecond
	lastBackoff  = core.Second
)

// send begins to write the markers of a transaction that is prepared, and committed as such.
func (c *Coordinator) send(now core.Now, t *Txn) {
	t.sending = &sending{left: slices.Clone(t.hard.Partitions), backoff: firstBackoff}
	c.ask(t, t.hard.Partitions)
	c.complete(now, t)
}

// ask hands out the markers for partitions of a transaction.
func (c *Coordinator) ask(t *Txn, tps []core.TopicPartition) {
	if len(tps) == 0 {
		return
	}
	c.markers = append(c.markers, Marker{
		ID: t.id, Producer: t.producer(), Commit: t.hard.State == PrepareCommit, Version: max(t.hard.Client, t.ending), Epoch: c.opts.Epoch,
		Partitions: slices.Clone(tps),
	})
}

// TakeMarkers takes what is to be written. Every partition of it is owed one [Coordinator.MarkerAnswered].
func (c *Coordinator) TakeMarkers() []Marker {
	m := c.markers
	c.markers = nil
	return m
}

// MarkerAnswered tells what has become of a marker at one partition. Where the topic is gone the code is none: there is nobody who
// waits for the marker. What another attempt may mend is tried again, as long as it takes: the decision stands.
func (c *Coordinator) MarkerAnswered(now core.Now, id string, p Producer, tp core.TopicPartition, code core.ErrorCode) {
	t := c.txns.At(id)
	if t == nil || t.sending == nil || t.producer() != p {
		return // of a transaction that has been completed
	}
	at, found := slices.BinarySearchFunc(t.sending.left, tp, core.TopicPartition.Compare)
	if !found {
		return
	}
	if !final(code) {
		t.sending.failed = append(t.sending.failed, tp)
		c.retryLater(now, t)
		return
	}
	t.sending.left = slices.Delete(t.sending.left, at, at+1)
	c.complete(now, t)
}

// final reports whether a partition will never answer otherwise.
func final(code core.ErrorCode) bool {
	switch code {
	case core.ErrNone:
		return true
	case core.ErrInvalidProducerEpoch:
		// The partition has seen a higher epoch, or in version 2 the same (KIP-1228): the marker is there, and the answer to an
		// earlier attempt was lost. Only this coordinator gives epochs, and gives none while the transaction is prepared. Kafka
		// stops sending and leaves the transaction prepared until somebody else coordinates it.
		return true
	case core.ErrUnsupportedForMessageFormat, core.ErrUnsupportedVersion:
		return true // the producer's batches were refused, too
	}
	// TRANSACTION_COORDINATOR_FENCED among them: whoever leads __transaction_state now sends the markers, and this coordinator
	// is about to hear of it.
	return false
}

// complete ends a transaction whose markers are all written. What the log does not take is proposed again later.
func (c *Coordinator) complete(now core.Now, t *Txn) {
	if len(t.sending.left) > 0 {
		return
	}
	s := CompleteAbort
	if t.hard.State == PrepareCommit {
		s = CompleteCommit
	}
	v := t.next(now, s)
	v.Partitions, v.NextProducerID = nil, core.NoProducerID
	if next := t.hard.NextProducerID; next != core.NoProducerID {
		v.ProducerID, v.Epoch = next, 0
	}
	was := t.sending
	if code := c.move(now, t, &v); code != core.ErrNone {
		c.retryLater(now, t)
		return
	}
	c.timers.Cancel(was.timer)
	t.sending = nil
}

// retryLater lets the next attempt begin after a pause.
func (c *Coordinator) retryLater(now core.Now, t *Txn) {
	if w := t.sending; !w.armed {
		w.armed = true
		w.timer = c.timers.Add(now.Mono.Add(w.backoff), markerTimer{c, t})
		w.backoff = min(2*w.backoff, lastBackoff)
	}
}

// markerTimer asks again.
type markerTimer struct {
	c *Coordinator
	t *Txn
}

// Expire implements [coord.Timer].
func (m markerTimer) Expire(now core.Now) {
	w := m.t.sending
	w.armed = false
	tps := ordered(w.failed)
	w.failed = nil
	m.c.ask(m.t, tps)
	m.c.complete(now, m.t)
}
