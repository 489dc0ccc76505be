package metadata

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
)

// history draws a log that a controller could have written: each record fits the image of those before it.
type history struct {
	t    *rapid.T
	m    *Image
	recs []Record
}

func drawHistory(t *rapid.T, steps int) *history {
	h := &history{t: t, m: NewImage()}
	h.write(&FeatureLevelRecord{MetadataVersionFeature, MetadataVersionMax})
	for range rapid.IntRange(0, steps).Draw(t, "steps") {
		h.step()
	}
	return h
}

func (h *history) write(rec Record) {
	if err := h.m.Replay(rec, core.Offset(len(h.recs)), 1, nil); err != nil {
		h.t.Fatalf("drawn record refused: %v", err)
	}
	h.recs = append(h.recs, rec)
}

func (h *history) int(name string, limit int) int { return rapid.IntRange(0, limit-1).Draw(h.t, name) }
func (h *history) bool(name string) bool          { return rapid.Bool().Draw(h.t, name) }

func (h *history) id(name string) (id [16]byte) {
	for i := range id {
		id[i] = rapid.Byte().Draw(h.t, name)
	}
	id[0] |= 1 // never a reserved id
	return id
}

// step writes one record of a drawn kind, or nothing where the image has no subject for it.
func (h *history) step() {
	switch kind := h.int("kind", 13); kind {
	case 0:
		h.write(h.registration())
	case 1, 2:
		h.brokerChange(kind == 1)
	case 3:
		h.topic()
	case 4:
		if t := h.pickTopic(); t != nil && h.bool("really remove") {
			h.write(&RemoveTopicRecord{t.ID})
		}
	case 5, 6, 7:
		h.partitionChange()
	case 8:
		h.write(&ClearElrRecord{})
	case 9:
		h.config()
	case 10:
		h.quota()
	case 11:
		h.write(&ProducerIDsRecord{NextProducerID: h.m.NextProducerID() + 1000})
	case 12:
		h.security()
	}
}

func (h *history) registration() *RegisterBrokerRecord {
	r := &RegisterBrokerRecord{
		BrokerID: core.NodeID(h.int("broker", 6)), IncarnationID: h.id("incarnation"),
		BrokerEpoch: core.BrokerEpoch(len(h.recs)), Fenced: h.bool("fenced"), InControlledShutdown: h.bool("shutdown"),
		Endpoints: []Endpoint{{"b", "h", 1, 0}, {"a", "h", 2, 0}}[h.int("endpoints", 3):],
		Features:  []SupportedFeature{{"metadata.version", 7, 33}}[h.int("features", 2):],
	}
	if h.bool("rack") {
		r.Rack = ptr("rack")
	}
	for range h.int("directories", 3) {
		r.LogDirs = append(r.LogDirs, h.id("directory"))
	}
	if h.bool("cordoned") {
		r.CordonedLogDirs = slices.Clone(r.LogDirs[:min(1, len(r.LogDirs))])
	}
	return r
}

func (h *history) brokerChange(unregister bool) {
	id := core.NodeID(h.int("broker", 6))
	b := h.m.Broker(id)
	switch {
	case b == nil:
	case unregister:
		h.write(&UnregisterBrokerRecord{id, b.Epoch})
	default:
		r := &BrokerRegistrationChangeRecord{
			BrokerID: id, BrokerEpoch: b.Epoch,
			Fenced:               FenceChange(h.int("fence", 3) - 1),
			InControlledShutdown: ShutdownChange(h.int("shutdown", 2)),
		}
		if h.bool("directories") {
			r.LogDirs = []DirectoryID{h.id("directory"), h.id("directory")}
		}
		if h.bool("cordoned") {
			r.CordonedLogDirs = []DirectoryID{}
		}
		h.write(r)
	}
}

func (h *history) nodes(name string, from []core.NodeID) []core.NodeID {
	picked := rapid.Permutation(from).Draw(h.t, name)
	return picked[:h.int(name+" count", len(picked)+1)]
}

func (h *history) topic() {
	name := fmt.Sprintf("topic-%d", h.int("topic", 5))
	if h.m.Topic(name) != nil {
		return
	}
	id := core.TopicID(h.id("topic id"))
	h.write(&TopicRecord{name, id})
	for _, p := range rapid.Permutation([]int32{0, 1, 2, 3}).Draw(h.t, "partitions")[:h.int("partition count", 5)] {
		replicas := append([]core.NodeID{0}, h.nodes("replicas", []core.NodeID{1, 2, 3})...)
		r := &PartitionRecord{
			PartitionID: p, TopicID: id, Replicas: replicas, ISR: h.nodes("isr", replicas), Leader: h.leader(replicas),
			LeaderRecoveryState: LeaderRecoveryState(h.int("recovery", 2)),
		}
		if h.bool("directories") {
			for range replicas {
				r.Directories = append(r.Directories, h.id("directory"))
			}
		}
		if h.bool("elr") {
			r.EligibleLeaderReplicas = h.nodes("elr", replicas)
		}
		h.write(r)
	}
}

func (h *history) leader(replicas []core.NodeID) core.NodeID {
	return append([]core.NodeID{core.NoNode}, replicas...)[h.int("leader", len(replicas)+1)]
}

func (h *history) pickTopic() *Topic {
	if h.m.TopicCount() == 0 {
		return nil
	}
	return slices.Collect(h.m.Topics())[h.int("which topic", h.m.TopicCount())]
}

func (h *history) partitionChange() {
	t := h.pickTopic()
	if t == nil || len(t.Partitions()) == 0 {
		return
	}
	p := t.Partitions()[h.int("which partition", len(t.Partitions()))]
	r := NewPartitionChange(t.ID, p.ID)
	if h.bool("isr") {
		r.ISR = h.nodes("isr", p.Replicas)
	}
	if h.bool("elect") {
		r.Leader = h.leader(p.Replicas)
	}
	if h.bool("elr") {
		r.EligibleLeaderReplicas, r.LastKnownElr = h.nodes("elr", p.Replicas), h.nodes("last elr", p.Replicas)
	}
	if h.bool("reassign") {
		r.AddingReplicas, r.RemovingReplicas = h.nodes("adding", p.Replicas), []core.NodeID{}
	}
	if h.bool("move") {
		r.Directories = make([]DirectoryID, len(p.Replicas))
		r.Directories[0] = h.id("directory")
	}
	h.write(r)
}

func (h *history) config() {
	r := &ConfigRecord{ResourceType: ResourceTopic, ResourceName: fmt.Sprintf("topic-%d", h.int("topic", 5)), Name: "a"}
	if h.bool("broker") {
		r.ResourceType, r.ResourceName, r.Name = ResourceBroker, "", "b"
	}
	if h.bool("value") {
		r.Value = ptr(fmt.Sprint(h.int("value", 3)))
	}
	h.write(r)
	h.write(&FeatureLevelRecord{ShareVersionFeature, FeatureLevel(h.int("level", 3))})
}

func (h *history) quota() {
	entity := []QuotaEntity{{"user", ptr("u")}, {"client-id", nil}, {"ip", ptr("")}}
	h.write(&ClientQuotaRecord{
		Entity: entity[h.int("entity", 3):], Key: fmt.Sprint("k", h.int("key", 2)),
		Value: QuotaValue(h.int("value", 3)), Remove: h.bool("remove"),
	})
}

func (h *history) security() {
	user := ScramKey{fmt.Sprint("u", h.int("user", 2)), 1}
	switch h.int("security", 6) {
	case 0:
		h.write(&AccessControlEntryRecord{ID: h.id("acl"), ResourceType: 2, ResourceName: "t", PatternType: 3,
			Principal: "User:a", Host: "*", Operation: 4, PermissionType: 3})
	case 1:
		if ids := h.m.acls.Keys(); len(ids) > 0 {
			h.write(&RemoveAccessControlEntryRecord{ids[0]})
		}
	case 2:
		h.write(&UserScramCredentialRecord{Name: user.User, Mechanism: 1, Salt: []byte{1}, StoredKey: []byte{2},
			ServerKey: []byte{3}, Iterations: 4096 + int32(h.int("iterations", 3))})
	case 3:
		if h.m.Scram(user) != nil {
			h.write(&RemoveUserScramCredentialRecord{user.User, 1})
		}
	case 4:
		h.write(&DelegationTokenRecord{Owner: "User:o", Requester: "User:r", TokenID: fmt.Sprint(h.int("token", 2))})
	case 5:
		h.write(&RemoveDelegationTokenRecord{fmt.Sprint(h.int("token", 2))})
	}
}
