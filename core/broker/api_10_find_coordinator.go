package broker

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// FindCoordinator (key 10).
//
// Behavior: there are no groups and no transactions yet, so every key answers COORDINATOR_NOT_AVAILABLE, as a Kafka
// does whose offsets topic is not ready; clients retry. The key is served all the same because librdkafka takes its
// presence for the sign that a broker understands lz4, and sends lz4 batches uncompressed without a word where it is
// missing.
//
// Version notes: 4 asks for several keys at once (KIP-699).
func (b *Broker) findCoordinator(r *step.Request, req *kmsg.FindCoordinatorRequest, out *step.Effects) {
	resp := req.ResponseKind().(*kmsg.FindCoordinatorResponse)
	const why = "groups and transactions are not served yet"
	if r.Version < 4 {
		resp.ErrorCode, resp.ErrorMessage = int16(core.ErrCoordinatorNotAvailable), kmsg.StringPtr(why)
		resp.NodeID, resp.Port = -1, -1
		reply(r, resp, out)
		return
	}
	for _, key := range req.CoordinatorKeys {
		c := kmsg.NewFindCoordinatorResponseCoordinator()
		c.Key, c.NodeID, c.Port = key, -1, -1
		c.ErrorCode, c.ErrorMessage = int16(core.ErrCoordinatorNotAvailable), kmsg.StringPtr(why)
		resp.Coordinators = append(resp.Coordinators, c)
	}
	reply(r, resp, out)
}
