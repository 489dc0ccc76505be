package cluster

import (
	"slices"
	"strconv"
	"strings"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Topic is what is known of one wanted topic.
type Topic struct {
	Name string
	ID   core.TopicID // zero if the brokers have no topic ids (Metadata below version 10)
	// Err is why Partitions is not current: UNKNOWN_TOPIC_OR_PARTITION until anything is known.
	Err        core.ErrorCode
	Partitions []Partition // by index; kept when Err is retriable
	// Incarnation counts the topic ids seen: positions in an earlier one mean nothing.
	Incarnation int32
	Answered    bool // a broker has said something about it
}

// Partition is what is known of one partition.
type Partition struct {
	Leader core.NodeID // core.NoNode if none
	// Epoch is the leader epoch, core.NoLeaderEpoch if unknown. Within one topic id it never goes back, whatever a broker
	// that lags behind may say (KIP-320; KAFKA-7395 was a client that did).
	Epoch    core.LeaderEpoch
	Replicas []core.NodeID // all of them, in the controller's order
}

// TopicName is a topic that exists, with its id where brokers have ids.
type TopicName struct {
	Name     string
	ID       core.TopicID
	Internal bool // Kafka's own, such as __consumer_offsets
}

// allTopics is what is known of the topics that exist, for those who choose among them.
type allTopics struct {
	wanted bool
	known  bool
	list   []TopicName
}

// metadataState is the state of refreshing.
type metadataState struct {
	needed   bool      // refresh as soon as the back-off allows
	inflight bool      // a request is out
	notUntil core.Mono // back-off
	staleAt  core.Mono // metadata.max.age.ms passes then; meaningful once something is known
	failures int       // attempts since all wanted topics were known
	version  int64     // responses learned
	call     Call
}

// MetadataVersion changes whenever something may have been learned.
func (c *Cluster) MetadataVersion() int64 { return c.meta.version }

// Refresh asks for new metadata as soon as the back-off allows.
func (c *Cluster) Refresh() { c.meta.needed = true }

// Want begins to follow a topic and returns what is known of it; the entry is updated in place forever.
func (c *Cluster) Want(name string) *Topic {
	t, ok := c.topics.Get(name)
	if !ok {
		t = &Topic{Name: name, Err: core.ErrUnknownTopicOrPartition}
		c.topics.Set(name, t)
		c.meta.needed = true
		c.meta.failures, c.meta.notUntil = 0, 0 // a new topic does not wait for the old ones' back-off
	}
	return t
}

// WantAll begins or ends to ask for all topics, not only those that are wanted by name.
func (c *Cluster) WantAll(all bool) {
	if all && !c.all.wanted {
		c.meta.needed, c.meta.failures, c.meta.notUntil = true, 0, 0
	}
	if !all {
		c.all = allTopics{}
	}
	c.all.wanted = all
}

// Topics are all topics of the cluster, sorted by name, as of the last answer; false while none has come. The slice is
// replaced, never changed.
func (c *Cluster) Topics() ([]TopicName, bool) { return c.all.list, c.all.known }

// RacksOf are the racks of a partition's replicas, without those of which no rack is known.
func (c *Cluster) RacksOf(p *Partition) []string {
	var racks []string
	for _, id := range p.Replicas {
		if n, ok := c.nodes.Get(id); ok && n.Rack != "" {
			racks = append(racks, n.Rack)
		}
	}
	return racks
}

// TopicByID finds a wanted topic by its id, nil if there is none.
func (c *Cluster) TopicByID(id core.TopicID) *Topic { return c.byID[id] }

// Leader is the node that leads a partition according to what is known, or core.NoNode.
func (t *Topic) Leader(partition int32) (core.NodeID, core.LeaderEpoch) {
	if partition < 0 || int(partition) >= len(t.Partitions) {
		return core.NoNode, core.NoLeaderEpoch
	}
	p := t.Partitions[partition]
	return p.Leader, p.Epoch
}

// deadline is when a refresh is due that waits for nothing but time.
func (m *metadataState) deadline(c *Cluster) core.Mono {
	switch {
	case c.closed || m.inflight:
		return Never
	case m.needed && m.notUntil > 0:
		return m.notUntil
	case !m.needed && (c.topics.Len() > 0 || c.all.wanted):
		return m.staleAt
	}
	return Never // waiting for a connection
}

// lost counts a request without an answer as a failure.
func (m *metadataState) lost(c *Cluster, now core.Now) {
	m.inflight, m.needed = false, true
	m.failures++
	m.notUntil = c.RetryAfter(now.Mono, m.failures)
}

func (c *Cluster) refreshIfDue(now core.Now, out *step.Effects) {
	m := &c.meta
	if (c.topics.Len() > 0 || c.all.wanted) && now.Mono >= m.staleAt {
		m.needed = true
	}
	if c.closed || !m.needed || m.inflight || now.Mono < m.notUntil {
		return
	}
	m.notUntil = 0
	l := c.AnyLink(now, out)
	if l == nil {
		return
	}
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{} // empty, not null: null is all topics
	for name := range c.topics.All() {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, t)
	}
	if c.all.wanted {
		req.Topics = nil
	}
	req.AllowAutoTopicCreation = c.opts.AllowAutoCreate
	m.call = Call{Owner: ownCluster, Body: req, MinVersion: 1}
	if !c.Call(now, l, &m.call, out) {
		m.lost(c, now)
		return
	}
	m.inflight, m.needed = true, false
}

// learn takes a Metadata response.
func (c *Cluster) learn(now core.Now, body kmsg.Response) {
	m := &c.meta
	resp, ok := body.(*kmsg.MetadataResponse)
	if !ok || len(resp.Brokers) == 0 || resp.ErrorCode != 0 {
		if ok && core.ErrorCode(resp.ErrorCode) == core.ErrRebootstrapRequired {
			c.forgetNodes() // KIP-1102
		}
		m.lost(c, now)
		return
	}
	m.inflight = false
	m.version++
	m.staleAt = now.Mono.Add(c.opts.MetadataMaxAge)
	c.learnNodes(resp)
	pending := c.learnNames(resp)
	for i := range resp.Topics {
		t := &resp.Topics[i]
		if t.Topic == nil {
			continue
		}
		if known, ok := c.topics.Get(*t.Topic); ok {
			pending = c.learnTopic(known, t) || pending
		}
	}
	if pending {
		m.failures++
		m.needed = true
	} else {
		m.failures = 0
	}
	m.notUntil = c.RetryAfter(now.Mono, m.failures)
}

// learnNames takes the list of topics from the answer to a request for all of them. A wanted topic that it does not name
// does not exist. It reports whether there is such a one.
func (c *Cluster) learnNames(resp *kmsg.MetadataResponse) (missing bool) {
	req, ok := c.meta.call.Body.(*kmsg.MetadataRequest)
	if !ok || req.Topics != nil || !c.all.wanted {
		return false
	}
	named := make(map[string]bool, len(resp.Topics))
	var list []TopicName
	for i := range resp.Topics {
		if t := &resp.Topics[i]; t.Topic != nil && !named[*t.Topic] {
			named[*t.Topic] = true
			list = append(list, TopicName{Name: *t.Topic, ID: core.TopicID(t.TopicID), Internal: t.IsInternal})
		}
	}
	slices.SortFunc(list, func(a, b TopicName) int { return strings.Compare(a.Name, b.Name) })
	c.all.list, c.all.known = list, true
	for name, t := range c.topics.All() {
		if !named[name] {
			t.Err, t.Answered, missing = core.ErrUnknownTopicOrPartition, true, true
		}
	}
	return missing
}

func (c *Cluster) forgetNodes() {
	for _, id := range c.nodes.Keys() {
		c.nodes.Delete(id)
	}
}

func (c *Cluster) learnNodes(resp *kmsg.MetadataResponse) {
	c.forgetNodes()
	for i := range resp.Brokers {
		b := &resp.Brokers[i]
		n := &Node{ID: core.NodeID(b.NodeID), Addr: joinHostPort(b.Host, b.Port)}
		if b.Rack != nil {
			n.Rack = *b.Rack
		}
		c.nodes.Set(n.ID, n)
	}
	c.controller = core.NodeID(resp.ControllerID)
}

// learnTopic takes one topic of a response. It reports whether the topic is worth another look soon.
func (c *Cluster) learnTopic(t *Topic, resp *kmsg.MetadataResponseTopic) (again bool) {
	t.Err, t.Answered = core.ErrorCode(resp.ErrorCode), true
	if t.Err != core.ErrNone && len(resp.Partitions) == 0 {
		return t.Err.Retriable()
	}
	id := core.TopicID(resp.TopicID)
	if id != t.ID { // another incarnation: epochs begin anew
		delete(c.byID, t.ID)
		if !t.ID.IsZero() {
			t.Incarnation++
		}
		t.ID, t.Partitions = id, nil
		if !id.IsZero() {
			c.byID[id] = t
		}
	}
	count := 0
	for i := range resp.Partitions {
		count = max(count, int(resp.Partitions[i].Partition)+1)
	}
	if count > len(resp.Partitions) { // indices are dense; anything else is not a Metadata response to believe
		t.Err = core.ErrUnknownServerError
		return true
	}
	for len(t.Partitions) < count {
		t.Partitions = append(t.Partitions, Partition{Leader: core.NoNode, Epoch: core.NoLeaderEpoch})
	}
	for i := range resp.Partitions {
		r := &resp.Partitions[i]
		if r.Partition < 0 {
			continue
		}
		again = learnPartition(&t.Partitions[r.Partition], r) || again
	}
	return again || t.Err.Retriable()
}

func learnPartition(p *Partition, r *kmsg.MetadataResponseTopicPartition) (again bool) {
	epoch := core.LeaderEpoch(r.LeaderEpoch)
	if epoch != core.NoLeaderEpoch && epoch < p.Epoch {
		return true // the broker lags behind; a later answer will tell the newer leader's address
	}
	p.Leader, p.Epoch = core.NodeID(r.Leader), max(p.Epoch, epoch)
	p.Replicas = p.Replicas[:0]
	for _, id := range r.Replicas {
		p.Replicas = append(p.Replicas, core.NodeID(id))
	}
	if core.ErrorCode(r.ErrorCode) == core.ErrLeaderNotAvailable {
		p.Leader = core.NoNode
	}
	return p.Leader == core.NoNode
}

// Hint takes the current leader that a Produce or Fetch response names beside its error (KIP-951). Older news is
// ignored.
func (c *Cluster) Hint(t *Topic, partition int32, leader core.NodeID, epoch core.LeaderEpoch) {
	if partition < 0 || int(partition) >= len(t.Partitions) || leader == core.NoNode {
		return
	}
	if p := &t.Partitions[partition]; epoch > p.Epoch {
		p.Leader, p.Epoch = leader, epoch
		c.meta.version++
	}
}

// HintNode takes a broker's address from the same place.
func (c *Cluster) HintNode(id core.NodeID, host string, port int32) {
	if id >= 0 {
		c.nodes.Set(id, &Node{ID: id, Addr: joinHostPort(host, port)})
	}
}

// joinHostPort is "host:port", with brackets around an IPv6 address.
func joinHostPort(host string, port int32) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.FormatInt(int64(port), 10)
}
