package txns

import (
	"regexp"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/shards"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/txn"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ListTransactions (key 66, KIP-664).
//
// Behavior: the transactional ids that this broker coordinates; clients ask all brokers. While one of its partitions is loading the
// whole is COORDINATOR_LOAD_IN_PROGRESS, for the list would look complete and not be; a partition that could not be read, or is lost by
// the time of the answer, makes it COORDINATOR_NOT_AVAILABLE for the same reason.
//
// Version notes: 1 filters by how long a transaction has been open (KIP-994), 2 by a pattern (KIP-1152): a regular expression for the
// whole id, INVALID_REGULAR_EXPRESSION if it is none.
func (p *Plane) list(now core.Now, r *step.Request, out *step.Effects) {
	req := r.Body.(*kmsg.ListTransactionsRequest)
	w := begin(r, 1)
	resp := w.Resp.(*kmsg.ListTransactionsResponse)
	f, code := filter(r.Version, req, resp)
	if c := p.Complete(); c != core.ErrNone && code == core.ErrNone {
		code = c
	}
	if code != core.ErrNone {
		w.Refuse(0, code, out)
		return
	}
	active := slices.Collect(p.Active())
	w.Left += len(active)
	for _, s := range active {
		for _, t := range s.Machine().List(now, &f) {
			row := kmsg.NewListTransactionsResponseTransactionState()
			row.TransactionalID, row.ProducerID, row.TransactionState = t.ID(), int64(t.Value().ProducerID), t.Value().State.String()
			resp.TransactionStates = append(resp.TransactionStates, row)
		}
		s.Defer(now, shards.Part{Of: w.pending})
	}
	w.Done(out)
	for _, s := range active {
		p.Settle(now, s, out)
	}
}

// filter is what a request asks for. States that do not exist are told; if no other is left, nothing is listed.
func filter(version int16, req *kmsg.ListTransactionsRequest, resp *kmsg.ListTransactionsResponse) (txn.Filter, core.ErrorCode) {
	f := txn.Filter{LongerMs: -1}
	for _, name := range req.StateFilters {
		if s, ok := txn.ParseState(name); ok {
			f.States = append(f.States, s)
		} else {
			resp.UnknownStateFilters = append(resp.UnknownStateFilters, name)
		}
	}
	if len(resp.UnknownStateFilters) > 0 && len(f.States) == 0 {
		f.States = []txn.State{txn.Dead} // which no id ever is
	}
	for _, id := range req.ProducerIDFilters {
		f.Producers = append(f.Producers, core.ProducerID(id))
	}
	slices.Sort(f.States)
	slices.Sort(f.Producers)
	f.States, f.Producers = slices.Compact(f.States), slices.Compact(f.Producers)
	if version >= 1 {
		f.LongerMs = req.DurationFilterMillis
	}
	if version >= 2 && req.TransactionalIDPattern != nil && *req.TransactionalIDPattern != "" {
		if _, err := regexp.Compile(*req.TransactionalIDPattern); err != nil {
			return f, core.ErrInvalidRegularExpression // else "a)|(b" would pass within the parentheses below
		}
		var err error
		if f.Pattern, err = regexp.Compile("^(?:" + *req.TransactionalIDPattern + ")$"); err != nil {
			return f, core.ErrInvalidRegularExpression
		}
	}
	return f, core.ErrNone
}
