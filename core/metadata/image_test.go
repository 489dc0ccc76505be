package metadata

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/ordmap"
)

// replayAll folds records into an image, each at its index.
func replayAll(t require.TestingT, recs ...Record) *Image {
	m := NewImage()
	for i, rec := range recs {
		require.NoError(t, m.Replay(rec, core.Offset(i), 0, nil))
	}
	return m
}

func TestSnapshotReplaysToAnEqualImage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t, 40)
		m := NewImage()
		for rec := range h.m.Records() { // by way of the bytes, as a snapshot is read
			parsed, err := Parse(AppendTo(nil, rec, h.m.MetadataVersion()))
			require.NoError(t, err)
			require.NoError(t, m.Replay(parsed, h.m.Offset(), h.m.Epoch(), nil))
		}
		require.Empty(t, h.m.Diff(m))
		require.True(t, m.Equal(h.m))
		require.Equal(t, h.m.PartitionCount(), m.PartitionCount())
		require.Equal(t, len(h.m.topicsByID), m.TopicCount())
		require.Empty(t, replayAll(t, h.recs...).Diff(h.m), "the fold is a function of the records")
	})
}

func TestCloneIsIndependent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t, 20)
		before := replayAll(t, h.recs...)
		clone := h.m.Clone()
		require.Empty(t, clone.Diff(h.m))
		require.Equal(t, h.m.Offset(), clone.Offset())
		for range 10 {
			h.step()
		}
		require.Empty(t, clone.Diff(before), "the clone moved with its original")
		for _, rec := range h.recs[clone.Offset()+1:] {
			require.NoError(t, clone.Replay(rec, clone.Offset()+1, 1, nil))
		}
		require.Empty(t, clone.Diff(h.m))
	})
}

// A broker must hear of everything that differs: Change names each topic, partition and broker whose state moved.
func TestChangesNameWhatDiffers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t, 40)
		m := NewImage()
		for i, rec := range h.recs {
			before := m.Clone()
			var got []Change
			require.NoError(t, m.Replay(rec, core.Offset(i), 1, &got))
			require.ElementsMatch(t, moved(before, m), subjects(got), "%s", rec.APIKey())
			if !before.Equal(m) {
				require.NotEmpty(t, got, "%s", rec.APIKey())
			}
		}
	})
}

// moved lists the topics, partitions and brokers that are not the same value in both images.
func moved(a, b *Image) []string {
	set := ordmap.Ordered[string, bool]()
	add := func(from, to *Image) {
		for t := range from.Topics() {
			if to.TopicByID(t.ID) == nil {
				set.Set("topic "+t.Name, true)
				if to == a { // its partitions are new; those of a deleted topic go unnamed
					for _, p := range t.Partitions() {
						set.Set(fmt.Sprint("partition ", t.Name, p.ID), true)
					}
				}
				continue
			}
			for _, p := range t.Partitions() {
				if to.Partition(t.ID, p.ID) != p {
					set.Set(fmt.Sprint("partition ", t.Name, p.ID), true)
				}
			}
		}
		for br := range from.Brokers() {
			if to.Broker(br.ID) != br {
				set.Set(fmt.Sprint("broker ", br.ID), true)
			}
		}
	}
	add(a, b)
	add(b, a)
	return set.Keys()
}

func subjects(list []Change) []string {
	var names []string
	for _, c := range list {
		switch c.Kind {
		case TopicCreated, TopicDeleted:
			names = append(names, "topic "+c.Topic)
		case PartitionCreated, PartitionChanged:
			names = append(names, fmt.Sprint("partition ", c.Topic, c.After.ID))
		case BrokerChanged:
			names = append(names, fmt.Sprint("broker ", c.Node))
		default: // the cases of this test change nothing else
		}
	}
	return names
}

func fooID() core.TopicID { return core.TopicID(seq(0x10)) }
func barID() core.TopicID { return core.TopicID(seq(0x20)) }

// base is a small cluster: broker 1 with epoch 5, topic foo with partition 0 on 1 and 2.
func base() []Record {
	return []Record{
		&FeatureLevelRecord{MetadataVersionFeature, MetadataVersionMax},
		&RegisterBrokerRecord{BrokerID: 1, BrokerEpoch: 5, Fenced: true},
		&TopicRecord{"foo", fooID()},
		&PartitionRecord{TopicID: fooID(), Replicas: []core.NodeID{1, 2}, ISR: []core.NodeID{1, 2}, Leader: 1},
		&ConfigRecord{ResourceTopic, "foo", "retention.ms", ptr("5")},
		&ProducerIDsRecord{NextProducerID: 1000},
	}
}

// refusal is a record that contradicts base, and what the error says.
type refusal struct {
	rec  Record
	text string
}

func topicRefusals() []refusal {
	partition := func(change func(*PartitionRecord)) Record {
		r := &PartitionRecord{PartitionID: 1, TopicID: fooID(), Replicas: []core.NodeID{1, 2}, ISR: []core.NodeID{1}, Leader: 1}
		change(r)
		return r
	}
	changed := func(change func(*PartitionChangeRecord)) Record {
		r := NewPartitionChange(fooID(), 0)
		change(r)
		return r
	}
	return []refusal{
		{&TopicRecord{"foo", barID()}, `topic "foo" exists already with id ` + fooID().String()},
		{&TopicRecord{"bar", fooID()}, "topic id " + fooID().String() + ` is taken by "foo"`},
		{&TopicRecord{"bar", core.TopicID{}}, `topic "bar" has no id`},
		{&RemoveTopicRecord{barID()}, "no topic has id " + barID().String()},
		{&ClearElrRecord{"bar"}, `no topic is named "bar"`},
		{partition(func(r *PartitionRecord) { r.TopicID = barID() }), "partition 1: no topic has id"},
		{partition(func(r *PartitionRecord) { r.PartitionID = 0 }), "partition foo-0 exists already"},
		{partition(func(r *PartitionRecord) { r.PartitionID = -1 }), "negative id"},
		{partition(func(r *PartitionRecord) { r.Leader = 3 }), "leader 3 is none of the replicas [1 2]"},
		{partition(func(r *PartitionRecord) { r.Leader = LeaderKeep }), "leader -2 is none of the replicas"},
		{partition(func(r *PartitionRecord) { r.ISR = []core.NodeID{3} }), "ISR [3] is not a subset of replicas [1 2]"},
		{partition(func(r *PartitionRecord) { r.ISR = []core.NodeID{1, 1} }), "ISR [1 1] is not a subset"},
		{partition(func(r *PartitionRecord) { r.Replicas = []core.NodeID{1, 1} }), "replica twice in [1 1]"},
		{partition(func(r *PartitionRecord) { r.LeaderEpoch = -1 }), "leader epoch -1"},
		{partition(func(r *PartitionRecord) { r.LeaderRecoveryState = 2 }), "leader recovery state 2"},
		{partition(func(r *PartitionRecord) { r.Directories = []DirectoryID{seq(1)} }), "1 directories for replicas [1 2]"},
		{NewPartitionChange(barID(), 0), "partition 0: no topic has id"},
		{NewPartitionChange(fooID(), 1), `topic "foo" has no partition 1`},
		{changed(func(r *PartitionChangeRecord) { r.Leader = 3 }), "partition foo-0: leader 3 is none of the replicas"},
		{changed(func(r *PartitionChangeRecord) { r.Replicas = []core.NodeID{1} }), "ISR [1 2] is not a subset"},
	}
}

func otherRefusals() []refusal {
	return []refusal{
		{&RegisterBrokerRecord{BrokerID: 1, BrokerEpoch: 4}, "registered with epoch 5, the record has the older 4"},
		{&RegisterBrokerRecord{BrokerID: 2, Endpoints: []Endpoint{{Name: "a"}, {Name: "a"}}}, `listener "a" twice`},
		{&RegisterBrokerRecord{BrokerID: 2, Features: []SupportedFeature{{Name: "a"}, {Name: "a"}}}, `feature "a" twice`},
		{&UnregisterBrokerRecord{2, 5}, "broker 2 is not registered"},
		{&UnregisterBrokerRecord{1, 6}, "broker 1 is registered with epoch 5, the record means 6"},
		{&FenceBrokerRecord{1, 4}, "the record means 4"},
		{&UnfenceBrokerRecord{2, 5}, "broker 2 is not registered"},
		{&BrokerRegistrationChangeRecord{BrokerID: 1, BrokerEpoch: 5, Fenced: 2}, "unknown fence change 2"},
		{&BrokerRegistrationChangeRecord{BrokerID: 1, BrokerEpoch: 5, InControlledShutdown: -1}, "shutdown change -1"},
		{&UnregisterControllerRecord{1}, "controller 1 is not registered"},
		{&ProducerIDsRecord{NextProducerID: 1000}, "producer ids below 1000 are handed out already"},
		{&FeatureLevelRecord{"f", -1}, `feature "f" has level -1`},
		{&ClientQuotaRecord{Key: "k"}, `quota "k" has no entity`},
		{&ClientQuotaRecord{Entity: []QuotaEntity{{"ip", nil}, {"ip", nil}}}, `names its "ip" twice`},
		{&RemoveAccessControlEntryRecord{}, "there is no access control entry"},
		{&RemoveUserScramCredentialRecord{"u", 1}, `user "u" has no credential for mechanism 1`},
		{&EndTransactionRecord{}, "no transaction is open"},
		{&AbortTransactionRecord{}, "no transaction is open"},
	}
}

// A broker that jumps ahead by a snapshot must hear of what it missed, no more and no less.
func TestChangesSinceNamesWhatDiffers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t, 20)
		old := h.m.Clone()
		for range rapid.IntRange(0, 20).Draw(t, "missed") {
			h.step()
		}
		loaded := NewImage()
		for rec := range h.m.Records() {
			parsed, err := Parse(AppendTo(nil, rec, h.m.MetadataVersion()))
			require.NoError(t, err)
			require.NoError(t, loaded.Replay(parsed, h.m.Offset(), h.m.Epoch(), nil))
		}
		list := loaded.ChangesSince(old)
		diff := old.Diff(loaded)
		require.Equal(t, len(diff) == 0, len(list) == 0, "%v %v", diff, list)
		want := ordmap.Ordered[string, bool]()
		for _, line := range diff {
			name, what, _ := strings.Cut(line, ": ")
			// The partitions of a deleted topic go with it.
			if !strings.Contains(name, " partition ") || !strings.HasPrefix(what, "gone") {
				want.Set(name, true)
			}
		}
		got := ordmap.Ordered[string, bool]()
		for _, c := range list {
			if name := c.diffName(); name != "" {
				got.Set(name, true)
			}
		}
		for _, name := range want.Keys() {
			kind, _, _ := strings.Cut(name, " ")
			if slices.Contains([]string{"topic", "broker", "feature"}, kind) {
				require.True(t, got.Has(name), "%s is not among %v", name, got.Keys())
			}
		}
		for _, name := range got.Keys() {
			require.True(t, want.Has(name), "%s is not among %v", name, want.Keys())
		}
	})
}

// diffName is the subject of a change in the words of Diff; empty for the kinds that Diff names otherwise.
func (c Change) diffName() string {
	switch c.Kind {
	case TopicCreated, TopicDeleted:
		return fmt.Sprintf("topic %q", c.Topic)
	case PartitionCreated, PartitionChanged:
		return fmt.Sprintf("topic %q partition %d", c.Topic, c.After.ID)
	case BrokerChanged:
		return fmt.Sprintf("broker %d", c.Node)
	case FeatureChanged:
		return fmt.Sprintf("feature %q", c.Key)
	default:
		return ""
	}
}

func TestContradictionsAreRefusedAndChangeNothing(t *testing.T) {
	for _, c := range append(topicRefusals(), otherRefusals()...) {
		m := replayAll(t, base()...)
		before, offset := m.Clone(), m.Offset()
		var got []Change
		err := m.Replay(c.rec, 7, 2, &got)
		require.ErrorIs(t, err, ErrContradiction)
		require.ErrorContains(t, err, c.text)
		require.ErrorContains(t, err, c.rec.APIKey().String()+" at offset 7 of epoch 2")
		require.Empty(t, before.Diff(m))
		require.Empty(t, got)
		require.Equal(t, offset, m.Offset())
	}
}

func TestReplayRefusesToGoBack(t *testing.T) {
	m := replayAll(t, base()...)
	require.NoError(t, m.Replay(&NoOpRecord{}, 5, 3, nil), "a snapshot's records share one offset")
	require.ErrorContains(t, m.Replay(&NoOpRecord{}, 4, 3, nil), "the image is at offset 5 already")
	require.ErrorContains(t, m.Replay(&NoOpRecord{}, 6, 2, nil), "the image is at epoch 3 already")
	require.Equal(t, core.Offset(5), m.Offset())
	require.Equal(t, core.LeaderEpoch(3), m.Epoch())
}

func TestUnknownMetadataVersionIsUnsupported(t *testing.T) {
	for _, level := range []FeatureLevel{-1, 0, 6, 34} {
		err := NewImage().Replay(&FeatureLevelRecord{MetadataVersionFeature, level}, 0, 0, nil)
		require.ErrorIs(t, err, ErrUnsupportedVersion)
	}
}

func TestPartitionChangeMovesEpochs(t *testing.T) {
	m := replayAll(t, base()...)
	old := m.Partition(fooID(), 0)
	require.Equal(t, []DirectoryID{DirMigrating, DirMigrating}, old.Directories)

	shrink := NewPartitionChange(fooID(), 0)
	shrink.ISR = []core.NodeID{1}
	shrink.EligibleLeaderReplicas = []core.NodeID{2}
	require.NoError(t, m.Replay(shrink, 6, 0, nil))
	p := m.Partition(fooID(), 0)
	require.Equal(t, core.LeaderEpoch(0), p.LeaderEpoch, "no leader named: same leader epoch")
	require.Equal(t, core.PartitionEpoch(1), p.PartitionEpoch)
	require.Equal(t, []core.NodeID{1}, p.ISR)
	require.Equal(t, []core.NodeID{1, 2}, old.ISR, "a value once handed out never changes")

	same := NewPartitionChange(fooID(), 0)
	same.Leader = 1
	require.NoError(t, m.Replay(same, 7, 0, nil))
	require.Equal(t, core.LeaderEpoch(1), m.Partition(fooID(), 0).LeaderEpoch, "naming the same leader is a new epoch")

	require.NoError(t, m.Replay(&ClearElrRecord{"foo"}, 8, 0, nil))
	require.Nil(t, m.Partition(fooID(), 0).EligibleLeaderReplicas, "as if there had never been one")
	require.Equal(t, core.PartitionEpoch(3), m.Partition(fooID(), 0).PartitionEpoch)
	require.NoError(t, m.Replay(&ClearElrRecord{}, 9, 0, nil))
	require.Equal(t, core.PartitionEpoch(3), m.Partition(fooID(), 0).PartitionEpoch, "nothing to clear")
}

func TestTopicDeletionTakesItsConfiguration(t *testing.T) {
	m := replayAll(t, base()...)
	res := ConfigResource{ResourceTopic, "foo"}
	value, ok := m.Config(res, "retention.ms")
	require.True(t, ok)
	require.Equal(t, "5", value)
	var got []Change
	gone := slices.Clone(m.Topic("foo").Partitions())
	require.NotEmpty(t, gone)
	require.NoError(t, m.Replay(&RemoveTopicRecord{fooID()}, 6, 0, &got))
	require.Equal(t, []Change{
		{Kind: TopicDeleted, Topic: "foo", TopicID: fooID(), Gone: gone}, {Kind: ConfigChanged, Resource: res},
	}, got)
	_, ok = m.Config(res, "retention.ms")
	require.False(t, ok)
	require.Nil(t, m.Topic("foo"))
	require.Nil(t, m.TopicByID(fooID()))
	require.Zero(t, m.PartitionCount())
	require.NoError(t, m.Replay(&TopicRecord{"foo", barID()}, 7, 0, nil), "the name is free for another id")
}

func TestBrokerRegistration(t *testing.T) {
	m := replayAll(t, base()...)
	require.False(t, m.Broker(1).Active())
	require.NoError(t, m.Replay(&UnfenceBrokerRecord{1, 5}, 6, 0, nil))
	require.True(t, m.Broker(1).Active())
	change := &BrokerRegistrationChangeRecord{
		BrokerID: 1, BrokerEpoch: 5, InControlledShutdown: ShutdownEnter, LogDirs: []DirectoryID{seq(9), seq(3)},
	}
	require.NoError(t, m.Replay(change, 7, 0, nil))
	b := m.Broker(1)
	require.False(t, b.Active())
	require.Equal(t, []DirectoryID{seq(3), seq(9)}, b.LogDirs)
	for _, dir := range []DirectoryID{DirMigrating, DirUnassigned, seq(3)} {
		require.True(t, b.HasOnlineDir(dir), "%s", dir)
	}
	for _, dir := range []DirectoryID{DirLost, seq(4)} {
		require.False(t, b.HasOnlineDir(dir), "%s", dir)
	}
	again := &RegisterBrokerRecord{BrokerID: 1, BrokerEpoch: 8, Endpoints: []Endpoint{{Name: "z"}, {Name: "a", Port: 7}}}
	var got []Change
	require.NoError(t, m.Replay(again, 8, 0, &got))
	require.Equal(t, []Change{{Kind: BrokerChanged, Node: 1, BrokerBefore: b, BrokerAfter: m.Broker(1)}}, got)
	require.True(t, m.Broker(1).Active(), "a new incarnation starts from its record alone")
	e, ok := m.Broker(1).Endpoint("a")
	require.True(t, ok)
	require.Equal(t, uint16(7), e.Port)
	_, ok = m.Broker(1).Endpoint("b")
	require.False(t, ok)
}

func TestMetadataTransaction(t *testing.T) {
	m := replayAll(t, base()...)
	before := m.Clone()
	var got []Change
	replay := func(recs ...Record) {
		for _, rec := range recs {
			require.NoError(t, m.Replay(rec, m.Offset()+1, 0, &got))
		}
	}
	replay(&BeginTransactionRecord{}, &TopicRecord{"bar", barID()}, &UnfenceBrokerRecord{1, 5})
	require.True(t, m.InTransaction())
	require.Empty(t, before.Diff(m), "held back until the end")
	require.Empty(t, got)
	require.ErrorContains(t, m.Replay(&BeginTransactionRecord{}, 20, 0, nil), "the transaction begun at offset 6 is open")
	clone := m.Clone()
	replay(&AbortTransactionRecord{})
	require.False(t, m.InTransaction())
	require.Empty(t, before.Diff(m))
	require.Empty(t, got)

	m = clone // the same, ended
	replay(&EndTransactionRecord{})
	require.NotNil(t, m.Topic("bar"))
	require.True(t, m.Broker(1).Active())
	require.Len(t, got, 2)

	replay(&BeginTransactionRecord{}, &TopicRecord{"bar", barID()})
	err := m.Replay(&EndTransactionRecord{}, 20, 0, nil)
	require.ErrorContains(t, err, `record 0 of the transaction, TopicRecord: `)
	require.ErrorIs(t, err, ErrContradiction)
}

func TestDiffReadsWell(t *testing.T) {
	a := replayAll(t, base()...)
	b := a.Clone()
	change := NewPartitionChange(fooID(), 0)
	change.Leader, change.ISR = core.NoNode, []core.NodeID{2}
	for _, rec := range []Record{
		change, &UnregisterBrokerRecord{1, 5}, &FeatureLevelRecord{ShareVersionFeature, 1},
		&ConfigRecord{ResourceTopic, "foo", "retention.ms", ptr("6")},
	} {
		require.NoError(t, b.Replay(rec, b.Offset()+1, 0, nil))
	}
	require.Equal(t, []string{
		"broker 1: gone, was BrokerID 1, IsMigratingZkBroker false, IncarnationID AAAAAAAAAAAAAAAAAAAAAA, BrokerEpoch 5, " +
			"Endpoints [], Features [], Rack null, Fenced true, InControlledShutdown false, LogDirs null, CordonedLogDirs null",
		`config 2 "foo" "retention.ms": Value "5" -> "6"`,
		`feature "share.version": new, Name "share.version", FeatureLevel 1`,
		`topic "foo" partition 0: ISR [1 2] -> [2], Leader 1 -> -1, LeaderEpoch 0 -> 1, PartitionEpoch 0 -> 1`,
	}, a.Diff(b))
	require.False(t, a.Equal(b))
}

func TestFeaturesAndQuotas(t *testing.T) {
	m := replayAll(t, append(base(),
		&FeatureLevelRecord{KRaftVersionFeature, 1}, &FeatureLevelRecord{GroupVersionFeature, 1},
		&ClientQuotaRecord{Entity: []QuotaEntity{{"user", ptr("u")}, {"client-id", nil}}, Key: "k", Value: 7},
		&ClientQuotaRecord{Entity: []QuotaEntity{{"client-id", nil}, {"user", ptr("u")}}, Key: "k", Value: 8},
	)...)
	require.Zero(t, m.FeatureLevel(KRaftVersionFeature), "kraft.version is not the image's")
	require.Equal(t, FeatureLevel(1), m.FeatureLevel(GroupVersionFeature))
	require.Equal(t, MetadataVersionMax, m.MetadataVersion())
	require.Equal(t, []Quota{{[]QuotaEntity{{"client-id", nil}, {"user", ptr("u")}}, "k", 8}}, slices.Collect(m.Quotas()),
		"the order of an entity's parts does not count")
	require.NoError(t, m.Replay(&FeatureLevelRecord{GroupVersionFeature, 0}, 20, 0, nil))
	require.Zero(t, m.FeatureLevel(GroupVersionFeature))
}

func TestDefaultFeatureLevels(t *testing.T) {
	// What Kafka 4.4's Feature.defaultLevel answers, in the order of the names below.
	names := []string{
		KRaftVersionFeature, TransactionVersionFeature, GroupVersionFeature,
		EligibleLeaderReplicasFeature, ShareVersionFeature, StreamsVersionFeature, "no.such.feature",
	}
	for _, c := range []struct {
		mv   FeatureLevel
		want []FeatureLevel
	}{
		{20, []FeatureLevel{0, 0, 0, 0, 0, 0, 0}},
		{21, []FeatureLevel{1, 0, 0, 0, 0, 0, 0}},
		{22, []FeatureLevel{1, 0, 1, 0, 0, 0, 0}},
		{MetadataVersion40IV3, []FeatureLevel{1, 2, 1, 0, 0, 0, 0}},
		{MetadataVersion41IV1, []FeatureLevel{1, 2, 1, 1, 0, 0, 0}},
		{28, []FeatureLevel{1, 2, 1, 1, 1, 0, 0}},
		{MetadataVersion42IV1, []FeatureLevel{1, 2, 1, 1, 1, 1, 0}},
		{MetadataVersion43IV0, []FeatureLevel{1, 2, 1, 1, 1, 1, 0}},
		{MetadataVersion44IV2, []FeatureLevel{1, 2, 1, 1, 2, 1, 0}},
	} {
		for i, name := range names {
			require.Equal(t, c.want[i], DefaultFeatureLevel(name, c.mv), "%s at %d", name, c.mv)
		}
		require.Equal(t, c.mv, DefaultFeatureLevel(MetadataVersionFeature, c.mv))
	}
}

func TestChangesSinceCoversEveryKind(t *testing.T) {
	user := []QuotaEntity{{"user", ptr("u")}}
	more := []Record{
		&RegisterControllerRecord{ControllerID: 9},
		&ConfigRecord{ResourceTopic, "foo", "cleanup.policy", ptr("compact")},
		&ConfigRecord{ResourceBroker, "", "k", ptr("v")},
		&ClientQuotaRecord{Entity: user, Key: "q", Value: 1},
		&AccessControlEntryRecord{ID: seq(1)},
		&UserScramCredentialRecord{Name: "u", Mechanism: 1},
		&DelegationTokenRecord{TokenID: "t"},
		&ProducerIDsRecord{NextProducerID: 2000},
	}
	before, after := replayAll(t, base()...), replayAll(t, append(base(), more...)...)
	broker, topic := ConfigResource{ResourceBroker, ""}, ConfigResource{ResourceTopic, "foo"}
	rest := []Change{
		{Kind: QuotaChanged, Key: "q"}, {Kind: ScramChanged, Key: "u"}, {Kind: TokenChanged, Key: "t"},
		{Kind: AclChanged}, {Kind: ProducerIDsChanged},
	}
	require.Equal(t, append([]Change{
		{Kind: ControllerChanged, Node: 9},
		{Kind: ConfigChanged, Resource: topic, Key: "cleanup.policy"},
		{Kind: ConfigChanged, Resource: broker, Key: "k"},
	}, rest...), after.ChangesSince(before))
	require.Equal(t, append([]Change{
		{Kind: ControllerChanged, Node: 9},
		{Kind: ConfigChanged, Resource: topic, Key: "cleanup.policy"},
		{Kind: ConfigChanged, Resource: broker}, // the resource has no keys left
	}, rest...), before.ChangesSince(after))
	require.Empty(t, after.ChangesSince(after.Clone()))
}
