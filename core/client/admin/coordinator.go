package admin

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// finding is the search for an operation's coordinator, and what it found.
type finding struct {
	op   *op
	call cluster.Call
	node core.NodeID // core.NoNode until found
}

// coordinator is a connection to the coordinator of the operation's group or transactional id, nil while it is looked for or not connected.
func (a *Admin) coordinator(now core.Now, o *op, out *step.Effects) *cluster.Link {
	if o.finding != nil {
		if o.finding.node == core.NoNode {
			return nil
		}
		if !a.cl.Known(o.finding.node) {
			o.finding = nil
		} else {
			return a.cl.Link(now, o.finding.node, cluster.Main, out)
		}
	}
	l := a.cl.AnyLink(now, out)
	if l == nil {
		return nil
	}
	kind := cluster.GroupCoordinator
	if o.route.Kind == TxnCoordinator {
		kind = cluster.TxnCoordinator
	}
	f := &finding{op: o, node: core.NoNode}
	f.call = cluster.FindCoordinator(cluster.Call{Owner: cluster.Admin, Ref: f}, kind, o.route.Group)
	if !a.cl.Call(now, l, &f.call, out) {
		a.finish(o, core.ErrUnsupportedVersion)
		return nil
	}
	o.finding = f
	return nil
}

// found takes the answer to FindCoordinator.
func (a *Admin) found(now core.Now, f *finding, done *cluster.Completion) {
	o := f.op
	if o.finished || o.finding != f {
		return
	}
	a.dirty = true
	node, code, lost := a.cl.Coordinator(done, o.route.Group)
	switch {
	case lost:
		a.again(now, o)
	case code == core.ErrNone:
		f.node = node
	case code.Retriable():
		o.reply.Err = code
		a.again(now, o)
	default:
		a.finish(o, code)
	}
}

// coordinatorRefusal adds the outcomes of requests about groups and transactions. Of a deleted group GROUP_ID_NOT_FOUND is the answer.
func coordinatorRefusal(body kmsg.Response, v *verdict) {
	switch resp := body.(type) {
	case *kmsg.ListGroupsResponse:
		v.row(resp.ErrorCode)
	case *kmsg.ListTransactionsResponse:
		v.row(resp.ErrorCode)
	case *kmsg.DescribeTransactionsResponse:
		for i := range resp.TransactionStates {
			v.row(resp.TransactionStates[i].ErrorCode)
		}
	case *kmsg.DescribeProducersResponse:
		for i := range resp.Topics {
			for j := range resp.Topics[i].Partitions {
				v.row(resp.Topics[i].Partitions[j].ErrorCode)
			}
		}
	case *kmsg.WriteTxnMarkersResponse:
		for i := range resp.Markers {
			for j := range resp.Markers[i].Topics {
				for k := range resp.Markers[i].Topics[j].Partitions {
					v.row(resp.Markers[i].Topics[j].Partitions[k].ErrorCode)
				}
			}
		}
	case *kmsg.DescribeGroupsResponse:
		for i := range resp.Groups {
			v.row(resp.Groups[i].ErrorCode)
		}
	case *kmsg.ConsumerGroupDescribeResponse:
		for i := range resp.Groups {
			v.row(resp.Groups[i].ErrorCode)
		}
	case *kmsg.DeleteGroupsResponse:
		for i := range resp.Groups {
			v.row(resp.Groups[i].ErrorCode)
		}
	case *kmsg.OffsetDeleteResponse:
		v.row(resp.ErrorCode)
	case *kmsg.OffsetFetchResponse:
		v.row(resp.ErrorCode)
		for i := range resp.Groups {
			if resp.Groups[i].ErrorCode != 0 {
				*v = verdict{}
				v.row(resp.Groups[i].ErrorCode)
			}
		}
	case *kmsg.OffsetCommitResponse:
		for i := range resp.Topics {
			for j := range resp.Topics[i].Partitions {
				v.row(unlessUnknown(resp.Topics[i].Partitions[j].ErrorCode))
			}
		}
	}
}
