package explain

import (
	"fmt"
	"strings"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// key is the partition that a place of the history is. Who names a topic in a request may not know its id: of a name that stands for one
// topic it is that.
func (r *recorder) key(log *history.Log, p history.Place) history.Key {
	topic := log.Topic(p.Topic)
	k := history.Key{TopicID: topic.ID, Partition: p.Partition}
	if k.TopicID.IsZero() {
		k.TopicID = r.t.idOf(topic.Name)
	}
	return k
}

// idOf is the id of the first topic of a name, zero if there is none.
func (t *Tape) idOf(name string) core.TopicID {
	for _, n := range t.Names {
		if n.Name == name {
			return n.ID
		}
	}
	return core.TopicID{}
}

// memberText tells of one step of a consumer group's member.
func (r *recorder) memberText(e *Event, b *history.Group) {
	partition := r.t.Name(e.Key)
	e.Member = b.Step != history.Processed
	switch b.Step {
	case history.Claimed:
		e.Text = fmt.Sprintf("has %s of group g%d from now on, in generation %d", partition, b.Group, b.Generation)
		if b.Instance != 0 {
			e.Text += fmt.Sprintf(", as instance %d", b.Instance)
		}
	case history.Released:
		e.Text = fmt.Sprintf("has %s of group g%d no more", partition, b.Group)
	case history.Fetched:
		e.Text = fmt.Sprintf("is told that group g%d has committed %d of %s", b.Group, b.To, partition)
		if b.To == core.NoOffset {
			e.Text = fmt.Sprintf("is told that group g%d has committed nothing of %s", b.Group, partition)
		}
	case history.Committed:
		e.Text = fmt.Sprintf("commits %d of %s for group g%d in generation %d", b.To, partition, b.Group, b.Generation)
	case history.Processed:
		e.Text = fmt.Sprintf("has processed %s of %s", offsets(b.From, b.To), partition)
		e.From, e.To = b.From, b.To
	case history.Confirmed:
		e.Text = fmt.Sprintf("is still the member of group g%d that has %s", b.Group, partition)
	case history.Deleted:
		e.Text = fmt.Sprintf("has what group g%d committed of %s forgotten", b.Group, partition)
	}
}

// txnText tells of the end of one transaction.
func (r *recorder) txnText(e *Event, op history.Op, log *history.Log, b *history.Txn) {
	e.Text = fmt.Sprintf("aborts transaction %d of x%d", b.ID, b.Writer)
	if b.Commit {
		e.Text = fmt.Sprintf("commits transaction %d of x%d", b.ID, b.Writer)
	}
	if b.Group >= 0 && len(b.Consumed) > 0 {
		var from []string
		for _, c := range b.Consumed {
			from = append(from, fmt.Sprintf("%s of %s", offsets(c.From, c.To), r.t.Name(r.key(log, c.Place))))
		}
		e.Text += fmt.Sprintf(", made of %s for group g%d", strings.Join(from, ", "), b.Group)
	}
	if b.Refused != core.ErrNone {
		e.Text += ", which was refused with " + b.Refused.String()
	}
	e.Bad = op.Outcome != history.OK
}
