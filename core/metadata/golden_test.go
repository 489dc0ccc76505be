package metadata

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
)

// golden is one record at one version and its bytes, derived by hand from Kafka 4.4's schemas. Every value opens
// with frame version 1, api key, record version. Compact lengths are n+1; the last byte of a struct without
// tagged fields is their count, 0.
type golden struct {
	rec     Record
	version int16
	hex     string // blanks separate fields
}

func ptr[T any](v T) *T { return &v }

func seq(from byte) (id [16]byte) {
	for i := range id {
		id[i] = from + byte(i)
	}
	return id
}

const (
	uuid10 = "101112131415161718191a1b1c1d1e1f"
	uuid20 = "202122232425262728292a2b2c2d2e2f"
	uuid30 = "303132333435363738393a3b3c3d3e3f"
)

func brokerFull() *RegisterBrokerRecord {
	return &RegisterBrokerRecord{
		BrokerID: 3, IsMigratingZkBroker: true, IncarnationID: seq(0x10), BrokerEpoch: 0x0102030405060708,
		Endpoints: []Endpoint{{"PLAIN", "h1", 9092, 0}, {"S", "h2", 65535, 3}},
		Features:  []SupportedFeature{{"metadata.version", 7, 33}},
		Rack:      ptr("r1"), Fenced: true, InControlledShutdown: true,
		LogDirs: []DirectoryID{seq(0x20)}, CordonedLogDirs: []DirectoryID{},
	}
}

func brokerGoldens() []golden {
	v0 := &RegisterBrokerRecord{BrokerID: 3, IncarnationID: seq(0x10), BrokerEpoch: 5, Fenced: true}
	endpoints := "03 06504c41494e 036831 2384 0000 00" + // "PLAIN" "h1" 9092 PLAINTEXT
		" 0253 036832 ffff 0003 00" // "S" "h2" 65535 SASL_SSL
	feature := "02 116d657461646174612e76657273696f6e 0007 0021 00" // "metadata.version" 7..33
	return []golden{
		{v0, 0, "01 00 00 00000003 " + uuid10 + " 0000000000000005 01 01 00 01 00"}, // empty, empty, null rack, fenced
		{brokerFull(), 4, "01 00 04 00000003 01" + uuid10 + " 0102030405060708 " + endpoints + feature +
			" 037231 01 01" + // rack "r1", fenced, in controlled shutdown
			" 02  00 11 02 " + uuid20 + "  01 01 01"}, // two tags: 0 = one directory, 1 = empty array
		{&UnregisterBrokerRecord{BrokerID: 3, BrokerEpoch: 5}, 0, "01 01 00 00000003 0000000000000005 00"},
		{&FenceBrokerRecord{ID: 3, Epoch: 5}, 0, "01 07 00 00000003 0000000000000005 00"},
		{&UnfenceBrokerRecord{ID: 3, Epoch: 5}, 0, "01 08 00 00000003 0000000000000005 00"},
		{&BrokerRegistrationChangeRecord{BrokerID: 3, BrokerEpoch: 5}, 0, "01 11 00 00000003 0000000000000005 00"},
		{&BrokerRegistrationChangeRecord{BrokerID: 3, BrokerEpoch: 5, Fenced: Unfence}, 0,
			"01 11 00 00000003 0000000000000005 01 00 01 ff"},
		{&BrokerRegistrationChangeRecord{
			BrokerID: 3, BrokerEpoch: 5, Fenced: Fence, InControlledShutdown: ShutdownEnter,
			LogDirs: []DirectoryID{seq(0x20)}, CordonedLogDirs: []DirectoryID{seq(0x30)},
		}, 3, "01 11 03 00000003 0000000000000005 04" +
			" 00 01 01  01 01 01  02 11 02 " + uuid20 + " 03 11 02 " + uuid30},
		{&RegisterControllerRecord{
			ControllerID: 4, IncarnationID: seq(0x10), ZkMigrationReady: true,
			Endpoints: []Endpoint{{"C", "h", 9093, 1}}, Features: []SupportedFeature{{"f", 0, 1}},
		}, 0, "01 1b 00 00000004 " + uuid10 + " 01 02 0243 0268 2385 0001 00 02 0266 0000 0001 00 00"},
		{&UnregisterControllerRecord{ControllerID: 4}, 0, "01 1d 00 00000004 00"},
	}
}

func topicGoldens() []golden {
	topic := core.TopicID(seq(0x10))
	partition := &PartitionRecord{
		PartitionID: 2, TopicID: topic, Replicas: []core.NodeID{1, 2}, ISR: []core.NodeID{1},
		RemovingReplicas: []core.NodeID{}, AddingReplicas: []core.NodeID{2}, Leader: core.NoNode,
		LeaderEpoch: 7, PartitionEpoch: 9,
	}
	body := "00000002 " + uuid10 + " 03 00000001 00000002  02 00000001  01  02 00000002  ffffffff 00000007 00000009 "
	full := *partition
	full.LeaderRecoveryState = Recovering
	full.Directories = []DirectoryID{seq(0x20), DirUnassigned}
	full.EligibleLeaderReplicas, full.LastKnownElr = []core.NodeID{2}, []core.NodeID{}
	change := NewPartitionChange(topic, 2)
	fullChange := &PartitionChangeRecord{
		PartitionID: 2, TopicID: topic, ISR: []core.NodeID{}, Leader: core.NoNode, Replicas: []core.NodeID{1},
		RemovingReplicas: []core.NodeID{2}, AddingReplicas: []core.NodeID{3}, LeaderRecoveryState: Recovered,
		EligibleLeaderReplicas: []core.NodeID{4}, LastKnownElr: []core.NodeID{5}, Directories: []DirectoryID{seq(0x20)},
	}
	return []golden{
		{&TopicRecord{Name: "foo", TopicID: topic}, 0, "01 02 00 04666f6f " + uuid10 + " 00"},
		{&RemoveTopicRecord{TopicID: topic}, 0, "01 09 00 " + uuid10 + " 00"},
		{partition, 0, "01 03 00 " + body + "00"},
		{partition, 1, "01 03 01 " + body + "01 00"}, // no directories
		{&full, 2, "01 03 02 " + body + "03 " + uuid20 + " 00000000000000000000000000000001" +
			" 03  00 01 01  01 05 02 00000002  02 01 01"},
		{change, 0, "01 05 00 00000002 " + uuid10 + " 00"},
		{fullChange, 2, "01 05 02 00000002 " + uuid10 + " 09" +
			" 00 01 01  01 04 ffffffff  02 05 02 00000001  03 05 02 00000002  04 05 02 00000003  05 01 00" +
			" 06 05 02 00000004  07 05 02 00000005  08 11 02 " + uuid20},
		{&ClearElrRecord{TopicName: "foo"}, 0, "01 1c 00 04666f6f 00"},
	}
}

func configGoldens() []golden {
	return []golden{
		{&ConfigRecord{ResourceType: ResourceTopic, ResourceName: "foo", Name: "k", Value: ptr("v")}, 0,
			"01 04 00 02 04666f6f 026b 0276 00"},
		{&ConfigRecord{ResourceType: ResourceBroker, ResourceName: "", Name: "k"}, 0, "01 04 00 04 01 026b 00 00"},
		{&FeatureLevelRecord{Name: "f", FeatureLevel: 258}, 0, "01 0c 00 0266 0102 00"},
		{&ClientQuotaRecord{
			Entity: []QuotaEntity{{"user", ptr("u")}, {"ip", nil}}, Key: "k", Value: 0x3ff0000000000000, Remove: true,
		}, 0, "01 0e 00 03 0575736572 0275 00 036970 00 00 026b 3ff0000000000000 01 00"}, // 1.0
		{&ProducerIDsRecord{BrokerID: 1, BrokerEpoch: 5, NextProducerID: 1000}, 0,
			"01 0f 00 00000001 0000000000000005 00000000000003e8 00"},
		{&NoOpRecord{}, 0, "01 14 00 00"},
		{&ZkMigrationStateRecord{State: 3}, 0, "01 15 00 03 00"},
		{&BeginTransactionRecord{}, 0, "01 17 00 00"},
		{&BeginTransactionRecord{Name: ptr("b")}, 0, "01 17 00 01 00 02 0262"},
		{&EndTransactionRecord{}, 0, "01 18 00 00"},
		{&AbortTransactionRecord{Reason: ptr("")}, 0, "01 19 00 01 00 01 01"},
		{&AccessControlEntryRecord{
			ID: seq(0x10), ResourceType: 2, ResourceName: "t", PatternType: 3, Principal: "User:a", Host: "*",
			Operation: 4, PermissionType: 5,
		}, 0, "01 12 00 " + uuid10 + " 02 0274 03 07557365723a61 022a 04 05 00"},
		{&RemoveAccessControlEntryRecord{ID: seq(0x10)}, 0, "01 13 00 " + uuid10 + " 00"},
		{&UserScramCredentialRecord{
			Name: "u", Mechanism: 1, Salt: []byte{1}, StoredKey: []byte{2, 3}, ServerKey: []byte{}, Iterations: 4096,
		}, 0, "01 0b 00 0275 01 0201 030203 01 00001000 00"},
		{&RemoveUserScramCredentialRecord{Name: "u", Mechanism: 2}, 0, "01 16 00 0275 02 00"},
		{&DelegationTokenRecord{
			Owner: "o", Requester: "r", Renewers: []string{"x", "y"}, IssueTimestamp: 1, MaxTimestamp: 2,
			ExpirationTimestamp: 3, TokenID: "id",
		}, 0, "01 0a 00 026f 0272 03 0278 0279 0000000000000001 0000000000000002 0000000000000003 036964 00"},
		{&RemoveDelegationTokenRecord{TokenID: "id"}, 0, "01 1a 00 036964 00"},
	}
}

func goldens() []golden {
	return append(append(brokerGoldens(), topicGoldens()...), configGoldens()...)
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}

func TestGoldenRecords(t *testing.T) {
	seen := map[RecordKey]bool{}
	for _, g := range goldens() {
		want := unhex(t, g.hex)
		got, err := appendVersion([]byte("kept"), g.rec, g.version)
		require.NoError(t, err)
		require.Equal(t, hex.EncodeToString(want), hex.EncodeToString(got[4:]), "%s v%d", g.rec.APIKey(), g.version)
		require.Equal(t, "kept", string(got[:4]))
		back, err := Parse(want)
		require.NoError(t, err, "%s v%d", g.rec.APIKey(), g.version)
		require.Equal(t, normal(g.rec), normal(back), "%s v%d", g.rec.APIKey(), g.version)
		seen[g.rec.APIKey()] = true
	}
	for key := range RecordKey(200) {
		require.Equal(t, newRecord(key) != nil, seen[key], "golden bytes for %s", key)
	}
}

type controlGolden struct {
	rec ControlRecord
	hex string
}

func controlGoldens() []controlGolden {
	return []controlGolden{
		{&LeaderChangeMessage{LeaderID: 1, Voters: []Voter{{ID: 1}, {ID: 2}}, GrantingVoters: []Voter{{ID: 2}}},
			"0000 00000001 03 00000001 00 00000002 00  02 00000002 00  00"},
		{&LeaderChangeMessage{Version: 1, LeaderID: 1, Voters: []Voter{{1, seq(0x10)}}, GrantingVoters: []Voter{}},
			"0001 00000001 02 00000001 " + uuid10 + " 00 01 00"},
		{&SnapshotHeaderRecord{LastContainedLogTimestamp: 1000}, "0000 00000000000003e8 00"},
		{&SnapshotFooterRecord{}, "0000 00"},
		{&KRaftVersionRecord{KRaftVersion: 1}, "0000 0001 00"},
		{&VotersRecord{Voters: []VoterRegistration{{
			ID: 1, DirectoryID: seq(0x10), Endpoints: []VoterEndpoint{{"C", "h", 9093}}, KRaftMin: 0, KRaftMax: 1,
		}}}, "0000 02 00000001 " + uuid10 + " 02 0243 0268 2385 00  0000 0001 00  00 00"},
	}
}

func TestGoldenControlRecords(t *testing.T) {
	for _, g := range controlGoldens() {
		want := unhex(t, g.hex)
		require.Equal(t, hex.EncodeToString(want), hex.EncodeToString(AppendControl(nil, g.rec)), "%T", g.rec)
		back, err := ParseControl(g.rec.ControlType(), want)
		require.NoError(t, err)
		require.Equal(t, g.rec, back)
		for n := range want {
			_, err := ParseControl(g.rec.ControlType(), want[:n])
			require.ErrorIs(t, err, ErrMalformed, "%T cut to %d", g.rec, n)
		}
		_, err = ParseControl(g.rec.ControlType(), append(want, 0))
		require.ErrorIs(t, err, ErrMalformed)
		want[1] = 9 // the version, where every value begins
		_, err = ParseControl(g.rec.ControlType(), want)
		require.ErrorIs(t, err, ErrUnsupportedVersion)
	}
	for _, typ := range []ControlType{-1, 0, 1, 7} {
		_, err := ParseControl(typ, []byte{0, 0, 0})
		require.ErrorIs(t, err, ErrUnknownRecord)
	}
	require.Panics(t, func() { AppendControl(nil, &SnapshotFooterRecord{Version: 1}) })
	require.Panics(t, func() { AppendControl(nil, &LeaderChangeMessage{Voters: []Voter{{1, seq(1)}}}) })
}
