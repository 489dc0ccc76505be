package broker

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/control"
	"github.com/klamm-log/klamm/core/replica"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// isrChanges batches the partitions whose leader here wants another ISR (KIP-497). One AlterPartition is under way at
// a time: what the leaders propose meanwhile goes into the next.
type isrChanges struct {
	wanting []*partition
	asking  bool
	retryAt core.Mono
}

// proposed is one partition's proposal in the request under way.
type proposed struct {
	p        *partition
	proposal replica.Proposal
}

// wantISR notes that a partition may have a proposal.
func (b *Broker) wantISR(p *partition) {
	if !p.wantsISR {
		p.wantsISR = true
		b.isr.wanting = append(b.isr.wanting, p)
	}
}

// isrDue is when proposals can be sent, if there are any.
func (b *Broker) isrDue() (core.Mono, bool) {
	return b.isr.retryAt, len(b.isr.wanting) > 0 && !b.isr.asking && b.life.epoch >= 0
}

// maxProposals bounds one request: its answer is larger than itself, and both ends have limits.
const maxProposals = 5000

// alterPartitions sends what the leaders here propose.
func (b *Broker) alterPartitions(now core.Now, out *step.Effects) {
	if at, due := b.isrDue(); !due || at > now.Mono {
		return
	}
	req := kmsg.NewPtrAlterPartitionRequest()
	req.SetVersion(3)
	req.BrokerID, req.BrokerEpoch = int32(b.cfg.NodeID), int64(b.life.epoch)
	var asked []proposed
	looked := 0
	for _, p := range b.isr.wanting {
		if len(asked) == maxProposals {
			break
		}
		looked++
		p.wantsISR = false
		if p.deleting {
			continue
		}
		if want, ok := p.Proposal(now, b.image()); ok {
			asked = append(asked, proposed{p, want})
			addProposal(req, p.TopicID, p.TP.Partition, &want)
		}
	}
	kept := copy(b.isr.wanting, b.isr.wanting[looked:])
	clear(b.isr.wanting[kept:])
	b.isr.wanting = b.isr.wanting[:kept]
	if len(asked) == 0 {
		return
	}
	b.isr.asking = true
	b.route.AskController(now, req, core.Millis(b.cfg.BrokerSessionTimeoutMs), func(now core.Now, body wire.Response, _ *step.Effects) {
		b.isr.asking = false
		b.altered(now, asked, body)
	}, out)
}

func addProposal(req *kmsg.AlterPartitionRequest, id core.TopicID, index int32, want *replica.Proposal) {
	n := len(req.Topics)
	if n == 0 || core.TopicID(req.Topics[n-1].TopicID) != id {
		req.Topics = append(req.Topics, kmsg.NewAlterPartitionRequestTopic())
		n++
		req.Topics[n-1].TopicID = id
	}
	rp := kmsg.NewAlterPartitionRequestTopicPartition()
	rp.Partition, rp.LeaderEpoch, rp.PartitionEpoch = index, int32(want.LeaderEpoch), int32(want.PartitionEpoch)
	for _, m := range want.ISR {
		member := kmsg.NewAlterPartitionRequestTopicPartitionNewEpochISR()
		member.BrokerID, member.BrokerEpoch = int32(m.ID), int64(m.BrokerEpoch)
		rp.NewEpochISR = append(rp.NewEpochISR, member)
	}
	req.Topics[n-1].Partitions = append(req.Topics[n-1].Partitions, rp)
}

// altered tells each leader what became of its proposal. Where no answer came nobody knows: the leader goes on counting
// with both ISRs and asks again (KIP-497).
func (b *Broker) altered(now core.Now, asked []proposed, body wire.Response) {
	answers := make(map[partitionKey]*kmsg.AlterPartitionResponseTopicPartition)
	whole := core.ErrNetworkException
	if resp, ok := body.(*kmsg.AlterPartitionResponse); ok && resp != nil {
		whole = core.ErrorCode(resp.ErrorCode)
		for i := range resp.Topics {
			t := &resp.Topics[i]
			for j := range t.Partitions {
				answers[partitionKey{t.TopidID, t.Partitions[j].Partition}] = &t.Partitions[j]
			}
		}
	}
	if whole != core.ErrNone {
		b.isr.retryAt = now.Mono.Add(retryController)
	}
	for _, a := range asked {
		outcome := replica.Outcome{ID: a.proposal.ID, Code: whole, LeaderID: core.NoNode}
		if rp := answers[partitionKey{a.p.TopicID, a.p.TP.Partition}]; rp != nil {
			outcome = replica.Outcome{
				ID: a.proposal.ID, Code: core.ErrorCode(rp.ErrorCode), LeaderID: core.NodeID(rp.LeaderID),
				LeaderEpoch: core.LeaderEpoch(rp.LeaderEpoch), PartitionEpoch: core.PartitionEpoch(rp.PartitionEpoch), ISR: control.BrokerIDs(rp.ISR),
			}
		} else if whole == core.ErrNone {
			outcome.Code = core.ErrUnknownServerError
		}
		if a.p.deleting {
			continue
		}
		a.p.Proposed(now, outcome)
		b.wantISR(a.p)
		b.touch(a.p)
	}
}

// partitionKey names a partition by its topic's id.
type partitionKey struct {
	id    core.TopicID
	index int32
}
