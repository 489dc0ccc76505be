package control

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/controller"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// CreateTopics (key 19).
//
// Behavior: each topic succeeds or fails by itself. A name that comes twice in one request is INVALID_REQUEST, once.
// The answer is sent when the topics are committed and their partitions here can be written to; if that takes longer
// than the request's timeout, when they are committed. validate_only answers as if, with a zero topic id (Kafka
// draws one that no topic gets).
//
// One request makes at most 10,000 records; topics beyond are POLICY_VIOLATION (Kafka then refuses all of them).
//
// Version notes: 4 takes -1 for the broker's number of partitions and replication factor (KIP-464), as do 2-3 here and
// in Kafka. 5 returns partitions, replication factor and configuration (KIP-525), 7 the topic id.
func (p *Plane) createTopics(now core.Now, r *step.Request, req *kmsg.CreateTopicsRequest) {
	resp := req.ResponseKind().(*kmsg.CreateTopicsResponse)
	count := make(map[string]int, len(req.Topics))
	for i := range req.Topics {
		count[req.Topics[i].Topic]++
	}
	end, created := core.NoOffset, false
	spent := 0
	for i := range req.Topics {
		t := &req.Topics[i]
		rt := kmsg.NewCreateTopicsResponseTopic()
		rt.Topic, rt.Configs = t.Topic, []kmsg.CreateTopicsResponseTopicConfig{}
		switch n := count[t.Topic]; {
		case n == 0: // refused already
			continue
		case n > 1:
			count[t.Topic] = 0
			rt.ErrorCode = int16(core.ErrInvalidRequest)
			rt.ErrorMessage = kmsg.StringPtr("the topic comes more than once in the request")
			resp.Topics = append(resp.Topics, rt)
			continue
		}
		if recs, ok := p.createTopic(t, req.ValidateOnly, &spent, &rt); ok && !req.ValidateOnly {
			end, created = p.propose(now, recs), true
		}
		resp.Topics = append(resp.Topics, rt)
	}
	if !created {
		p.settle(now, r, nil, resp) // what is refused may rest on what is proposed and not yet committed
		return
	}
	p.answerAfter(r, end, true, requestDeadline(now, req.TimeoutMillis), answer(r, resp))
}

// createTopic asks the controller for one topic and fills in its row.
func (p *Plane) createTopic(
	t *kmsg.CreateTopicsRequestTopic, validateOnly bool, spent *int, rt *kmsg.CreateTopicsResponseTopic,
) ([]metadata.Record, bool) {
	wish := controller.NewTopic{Name: t.Topic, Partitions: t.NumPartitions, Replication: t.ReplicationFactor, Spent: *spent}
	for _, c := range t.Configs {
		wish.Configs = append(wish.Configs, controller.ConfigEntry{Name: c.Name, Value: c.Value})
	}
	var refusal controller.Refusal
	if len(t.ReplicaAssignment) > 0 {
		wish.Assignment, refusal = assignmentByPartition(t.ReplicaAssignment)
	}
	var made controller.CreatedTopic
	var recs []metadata.Record
	if refusal.OK() {
		made, recs = p.ctl.CreateTopic(wish)
		refusal = made.Refusal
		*spent += len(recs)
	}
	rt.ErrorCode, rt.ErrorMessage = int16(refusal.Code), Words(refusal)
	if !refusal.OK() {
		return nil, false
	}
	if !validateOnly {
		rt.TopicID = made.ID
	}
	rt.NumPartitions, rt.ReplicationFactor = made.Partitions, made.Replication
	rt.Configs = p.createdConfigs(wish.Configs)
	return recs, true
}

// assignmentByPartition puts a manual assignment in order: partitions 0..n-1, each once.
func assignmentByPartition(asked []kmsg.CreateTopicsRequestTopicReplicaAssignment) ([][]core.NodeID, controller.Refusal) {
	byPartition := make([][]core.NodeID, len(asked))
	for _, a := range asked {
		if a.Partition < 0 || int64(a.Partition) >= int64(len(asked)) || byPartition[a.Partition] != nil {
			return nil, controller.Refusal{
				Code: core.ErrInvalidReplicaAssignment, Why: "the assigned partitions must be numbered from 0 on, each once",
			}
		}
		byPartition[a.Partition] = BrokerIDs(a.Replicas)
	}
	return byPartition, controller.Refusal{}
}

// BrokerIDs is never nil, so that an empty list of replicas is told from a missing one.
func BrokerIDs(ids []int32) []core.NodeID {
	nodes := make([]core.NodeID, len(ids))
	for i, id := range ids {
		nodes[i] = core.NodeID(id)
	}
	return nodes
}

// createdConfigs is the whole configuration of a topic created with entries (KIP-525).
func (p *Plane) createdConfigs(entries []controller.ConfigEntry) []kmsg.CreateTopicsResponseTopicConfig {
	own := make(map[string]string, len(entries))
	for _, e := range entries {
		own[e.Name] = *e.Value
	}
	described := config.DescribeTopic(p.Layers(func(name string) (string, bool) { v, ok := own[name]; return v, ok }))
	rows := make([]kmsg.CreateTopicsResponseTopicConfig, 0, len(described))
	for i := range described {
		e := &described[i]
		row := kmsg.NewCreateTopicsResponseTopicConfig()
		row.Name, row.Value, row.Source, row.IsSensitive = e.Name, Shown(e), int8(e.Source), e.Sensitive
		rows = append(rows, row)
	}
	return rows
}

// requestDeadline is when a request's own timeout has passed.
func requestDeadline(now core.Now, timeoutMs int32) core.Mono {
	return now.Mono.Add(core.Millis(int64(max(0, timeoutMs))))
}
