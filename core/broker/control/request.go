package control

import (
	"strings"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/controller"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Handle serves one request of the control plane: the quorum's on any voter, the others on the active controller alone.
// Whether the request may come through its listener is the caller's affair.
//
//nolint:cyclop // one line per api
func (p *Plane) Handle(now core.Now, r *step.Request, out *step.Effects) {
	if p.handleQuorum(now, r, out) {
		return
	}
	if !p.Active() {
		p.refuse(r, core.ErrNotController, "", out)
		return
	}
	switch req := r.Body.(type) {
	case *kmsg.CreateTopicsRequest:
		p.createTopics(now, r, req)
	case *kmsg.DeleteTopicsRequest:
		p.deleteTopics(now, r, req)
	case *kmsg.AlterConfigsRequest:
		p.alterConfigs(now, r, req)
	case *kmsg.IncrementalAlterConfigsRequest:
		p.incrementalAlterConfigs(now, r, req)
	case *kmsg.CreatePartitionsRequest:
		p.createPartitions(now, r, req)
	case *kmsg.ElectLeadersRequest:
		p.electLeaders(now, r, req, out)
	case *kmsg.AlterPartitionAssignmentsRequest:
		p.alterAssignments(now, r, req, out)
	case *kmsg.ListPartitionReassignmentsRequest:
		p.listReassignments(now, r, req)
	case *kmsg.UpdateFeaturesRequest:
		p.updateFeatures(now, r, req, out)
	case *kmsg.AlterPartitionRequest:
		p.alterPartition(now, r, req, out)
	case *kmsg.BrokerRegistrationRequest:
		p.registerBroker(now, r, req, out)
	case *kmsg.BrokerHeartbeatRequest:
		p.heartbeat(now, r, req, out)
	case *kmsg.UnregisterBrokerRequest:
		p.unregisterBroker(now, r, req, out)
	case *kmsg.AllocateProducerIDsRequest:
		p.allocateProducerIDs(now, r, req, out)
	case *kmsg.ControllerRegistrationRequest:
		p.registerController(now, r, req, out)
	case *kmsg.AssignReplicasToDirsRequest:
		p.assignReplicasToDirs(now, r, req, out)
	default:
		p.send(step.Reply{Conn: r.Conn, Seq: r.Seq, Corr: r.Corr, Version: r.Version, Close: true}, out)
	}
}

// Forwarded reports whether a broker passes requests of a key on to the active controller (KIP-590; in KRaft mode every
// broker takes them).
func Forwarded(key int16) bool {
	switch key {
	case 19, 20, 33, 37, 43, 44, 45, 46, 55, 57, 64, 80, 81:
		return true
	}
	return false
}

// refuse answers with an error for everything that was asked.
func (p *Plane) refuse(r *step.Request, code core.ErrorCode, why string, out *step.Effects) {
	p.reply(r, Refusal(r.Body, code, why), out)
}

// settle proposes records and answers once they, and all that was proposed before them, are committed.
func (p *Plane) settle(now core.Now, r *step.Request, recs []metadata.Record, resp wire.Response) {
	p.answerAfter(r, p.propose(now, recs), false, 0, answer(r, resp))
}

// Words is a refusal's text as responses carry it: null where there is no error.
//
// Texts quote what was asked for, which may be long; where a version has 16 bits for a string's length, one that is longer
// would make an answer that nobody can read.
func Words(r controller.Refusal) *string {
	if r.OK() {
		return nil
	}
	if len(r.Why) > maxWords {
		r.Why = strings.ToValidUTF8(r.Why[:maxWords], "") + "..."
	}
	return &r.Why
}

// maxWords is the length at which a refusal's text is cut, in bytes.
const maxWords = 1000
