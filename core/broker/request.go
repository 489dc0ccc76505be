package broker

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/control"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// request dispatches one request to the file of its api key. Requests that are not in [APIs] do not come here: the
// edge closes their connection (core/conn).
//
//nolint:cyclop // one line per api
func (b *Broker) request(now core.Now, r *step.Request, out *step.Effects) {
	if c := b.conns[r.Conn]; c != nil && b.controllerListener(c.listener) {
		b.controllerRequest(now, r, out)
		return
	}
	if !b.Serving() {
		// Who connects while this broker ends is greeted all the same: clients take a connection that is closed in the middle of
		// ApiVersions for one that cannot be (franz-go thinks of TLS and gives its records up), and ask again after any later end.
		if _, ok := r.Body.(*kmsg.ApiVersionsRequest); !ok {
			out.Replies = append(out.Replies, step.Reply{Conn: r.Conn, Seq: r.Seq, Corr: r.Corr, Version: r.Version, Close: true})
			return
		}
	}
	if control.Forwarded(r.Body.Key()) {
		b.route.Forward(now, r, out)
		return
	}
	switch req := r.Body.(type) {
	case *kmsg.ProduceRequest:
		b.produces.Produce(now, r, req, out)
	case *kmsg.FetchRequest:
		b.fetch(now, r, req, out)
	case *kmsg.ListOffsetsRequest:
		b.listOffsets(r, req, out)
	case *kmsg.MetadataRequest:
		b.metadata(now, r, req, out)
	case *kmsg.ApiVersionsRequest:
		b.apiVersions(r, req, out)
	case *kmsg.DeleteRecordsRequest:
		b.deleteRecords(now, r, req, out)
	case *kmsg.OffsetForLeaderEpochRequest:
		b.offsetForLeaderEpoch(r, req, out)
	case *kmsg.WriteTxnMarkersRequest:
		b.produces.WriteTxnMarkers(now, r, req, out)
	case *kmsg.DescribeProducersRequest:
		b.produces.DescribeProducers(r, req, out)
	case *kmsg.DescribeConfigsRequest:
		b.plane.DescribeConfigs(r, req, out)
	case *kmsg.DescribeLogDirsRequest:
		b.describeLogDirs(r, req, out)
	case *kmsg.DescribeClusterRequest:
		b.plane.DescribeCluster(b.listenerOf(r), r, req, out)
	case *kmsg.DescribeTopicPartitionsRequest:
		b.plane.DescribeTopicPartitions(b.listenerOf(r), r, req, out)
	default:
		if !b.coord.handle(now, r, out) {
			out.Replies = append(out.Replies, step.Reply{Conn: r.Conn, Seq: r.Seq, Corr: r.Corr, Version: r.Version, Close: true})
		}
	}
}

// controllerRequest serves the listeners of controllers: the quorum, brokers' dealings with the controller, and admin
// clients that know it (KIP-919).
func (b *Broker) controllerRequest(now core.Now, r *step.Request, out *step.Effects) {
	switch req := r.Body.(type) {
	case *kmsg.ApiVersionsRequest:
		b.apiVersions(r, req, out)
	case *kmsg.DescribeClusterRequest:
		b.plane.DescribeControllers(now, b.listenerOf(r), r, req, out)
	case *kmsg.DescribeConfigsRequest:
		b.plane.DescribeConfigs(r, req, out)
	default:
		b.plane.Handle(now, r, out)
	}
}

// answer is the reply to a request with a response body.
func answer(r *step.Request, body wire.Response) step.Reply {
	return step.Reply{Conn: r.Conn, Seq: r.Seq, Corr: r.Corr, Version: r.Version, Body: body}
}

// reply sends the answer in this turn.
func reply(r *step.Request, body wire.Response, out *step.Effects) {
	out.Replies = append(out.Replies, answer(r, body))
}
