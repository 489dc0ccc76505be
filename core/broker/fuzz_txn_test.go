package broker_test

import (
	"fmt"
	"reflect"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
)

// busy is a broker with a topic of two partitions, a transaction of "tx" that is open in the first one, and a group that has offsets.
func busy(t *testing.T) *txn {
	x := &txn{rig: newRig(t, "transaction.state.log.replication.factor", "1", "transaction.state.log.min.isr", "1",
		"transaction.state.log.num.partitions", "1", "offsets.topic.replication.factor", "1", "offsets.topic.num.partitions", "1"), version: 12}
	x.create(newTopic("a", 2))
	x.init()
	require.Equal(t, core.ErrNone, x.write(0))
	commit := kmsg.NewPtrOffsetCommitRequest()
	commit.Group, commit.Generation = "g", -1
	commit.Topics = []kmsg.OffsetCommitRequestTopic{{Topic: "a", Partitions: []kmsg.OffsetCommitRequestTopicPartition{{Offset: 1, LeaderEpoch: -1}}}}
	for range 100 {
		resp := ask[*kmsg.OffsetCommitResponse](x.rig, 8, commit)
		if resp.Topics[0].Partitions[0].ErrorCode == 0 {
			return x
		}
		find := kmsg.NewPtrFindCoordinatorRequest()
		find.CoordinatorKeys = []string{"g"}
		ask[*kmsg.FindCoordinatorResponse](x.rig, 4, find)
		x.pause(100 * core.Millisecond)
	}
	require.Fail(t, "the group's coordinator does not serve")
	return nil
}

// standing is what the broker's logs hold, but for one topic: all other state is a fold over them.
func (x *txn) standing(but string) (out []string) {
	for _, v := range x.broker.Replicas() {
		if v.TP.Topic == but {
			continue
		}
		out = append(out, fmt.Sprintf("%v: %d..%d, stable to %d, %d producers", v.TP, v.LogStartOffset, v.LogEndOffset, v.LastStableOffset, v.Producers.Len()))
	}
	return out
}

// codesOf are all error codes of a response, wherever they stand.
func codesOf(v reflect.Value, dst []core.ErrorCode) []core.ErrorCode {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			dst = codesOf(v.Elem(), dst)
		}
	case reflect.Slice:
		for i := range v.Len() {
			dst = codesOf(v.Index(i), dst)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name == "ErrorCode" {
				dst = append(dst, core.ErrorCode(v.Field(i).Int()))
				continue
			}
			dst = codesOf(v.Field(i), dst)
		}
	default: // no code
	}
	return dst
}

// Bounds of what a request may cost: memory that is taken for a request follows from its length, and an answer comes in time.
const (
	perRequest = 4 << 20
	perByte    = 4 << 10
	answerIn   = 40 * core.Second
)

// fuzzed sends a request's body to a busy broker. It must be answered, or be no request; must not cost more memory than its length
// explains; and if each of its rows is refused, nothing has changed. Invariants are checked after each turn.
func fuzzed(t *testing.T, key, version int16, body []byte) {
	if version < 0 || version > kmsg.RequestForKey(key).MaxVersion() || len(body) > 64<<10 {
		return
	}
	req, err := wire.DecodeRequest(key, version, body)
	if err != nil {
		return
	}
	x, but := busy(t), ""
	if key == int16(kmsg.TxnOffsetCommit) && version >= 5 {
		but = "__transaction_state" // the group is part of the transaction before its coordinator looks at the rest (KIP-890)
	}
	before, n, late := x.standing(but), len(x.replies), x.now.Add(answerIn)
	var was, is runtime.MemStats
	runtime.ReadMemStats(&was)
	x.node.Deliver(&step.Request{Conn: connInner, Seq: x.seq, Version: version, Body: req})
	x.run(func() bool { return len(x.replies) > n || x.now > late })
	runtime.ReadMemStats(&is)
	require.Greater(t, len(x.replies), n, "no answer in time")
	require.Less(t, is.TotalAlloc-was.TotalAlloc, uint64(perRequest+perByte*len(body)), "%d bytes of request", len(body))
	resp := x.replies[n].Body
	resp.SetVersion(version)
	_, err = wire.DecodeResponse(key, version, resp.AppendTo(nil))
	require.NoError(t, err)
	for _, c := range codesOf(reflect.ValueOf(resp), nil) {
		if c == core.ErrNone {
			return
		}
	}
	require.Equal(t, before, x.standing(but), "everything was refused")
}

// seed adds bodies that mean something to a busy broker.
func seed(f *testing.F, version int16, reqs ...kmsg.Request) {
	for _, r := range reqs {
		r.SetVersion(version)
		f.Add(version, r.AppendTo(nil))
	}
	f.Add(version, []byte{})
}

func FuzzWriteTxnMarkers(f *testing.F) {
	marker := func(id int64, epoch int16, partitions ...int32) *kmsg.WriteTxnMarkersRequest {
		return &kmsg.WriteTxnMarkersRequest{Markers: []kmsg.WriteTxnMarkersRequestMarker{{ProducerID: id, ProducerEpoch: epoch, Committed: true,
			Topics: []kmsg.WriteTxnMarkersRequestMarkerTopic{{Topic: "a", Partitions: partitions}}}}}
	}
	twice := marker(0, 0, 0, 0)
	twice.Markers = append(twice.Markers, twice.Markers[0])
	inner := marker(0, 0)
	inner.Markers[0].Topics = []kmsg.WriteTxnMarkersRequestMarkerTopic{{Topic: "__transaction_state", Partitions: []int32{0}},
		{Topic: "__consumer_offsets", Partitions: []int32{0}}}
	for version := range int16(3) {
		seed(f, version, marker(0, 0, 0), marker(0, -1, 0), marker(-1, 0, 0), marker(7, 32767, 1, 2, -1), twice, inner)
	}
	f.Fuzz(func(t *testing.T, version int16, body []byte) { fuzzed(t, 27, version, body) })
}

func FuzzDescribeProducers(f *testing.F) {
	ask := func(topic string, partitions ...int32) *kmsg.DescribeProducersRequest {
		return &kmsg.DescribeProducersRequest{Topics: []kmsg.DescribeProducersRequestTopic{{Topic: topic, Partitions: partitions}}}
	}
	seed(f, 0, ask("a", 0, 0, 1, 2, -1), ask("", 0), ask("__consumer_offsets", 0), &kmsg.DescribeProducersRequest{})
	f.Fuzz(func(t *testing.T, version int16, body []byte) { fuzzed(t, 61, version, body) })
}

func FuzzTxnOffsetCommit(f *testing.F) {
	commit := func(id, group string, producer int64, epoch int16, partitions ...int32) *kmsg.TxnOffsetCommitRequest {
		r := kmsg.NewPtrTxnOffsetCommitRequest()
		r.TransactionalID, r.Group, r.ProducerID, r.ProducerEpoch = id, group, producer, epoch
		t := kmsg.NewTxnOffsetCommitRequestTopic()
		t.Topic = "a"
		for _, p := range partitions {
			row := kmsg.NewTxnOffsetCommitRequestTopicPartition()
			row.Partition, row.Offset = p, 3
			t.Partitions = append(t.Partitions, row)
		}
		r.Topics = append(r.Topics, t)
		return r
	}
	generation := commit("tx", "g", 0, 0, 0)
	generation.Generation, generation.MemberID = 4, "nobody"
	for _, version := range []int16{0, 2, 3, 4, 5} {
		seed(f, version, commit("tx", "g", 0, 0, 0), commit("tx", "g", 0, 1, 0), commit("", "", -1, -1), commit("ty", "g", 0, 0, 0),
			commit("tx", "h", 0, 0, 0, 0, 9, -1), generation)
	}
	f.Fuzz(func(t *testing.T, version int16, body []byte) { fuzzed(t, 28, version, body) })
}

func FuzzAddPartitionsToTxn(f *testing.F) {
	topics := []kmsg.AddPartitionsToTxnRequestTopic{{Topic: "a", Partitions: []int32{1, 1, 0}}, {Topic: "b", Partitions: []int32{0}}}
	old := func(id string, producer int64, epoch int16) *kmsg.AddPartitionsToTxnRequest {
		return &kmsg.AddPartitionsToTxnRequest{TransactionalID: id, ProducerID: producer, ProducerEpoch: epoch, Topics: topics}
	}
	seed(f, 0, old("tx", 0, 0))
	seed(f, 3, old("tx", 0, 0), old("tx", 0, 1), old("", 0, 0), old("ty", -1, -1))
	for _, verify := range []bool{false, true} {
		var batch []kmsg.AddPartitionsToTxnRequestTransaction
		for i, id := range []string{"tx", "tx", "", "ty"} {
			batch = append(batch, kmsg.AddPartitionsToTxnRequestTransaction{TransactionalID: id, ProducerEpoch: int16(i), VerifyOnly: verify,
				Topics: []kmsg.AddPartitionsToTxnRequestTransactionTopic{{Topic: "a", Partitions: []int32{0, 1, 2}}}})
		}
		seed(f, 4, &kmsg.AddPartitionsToTxnRequest{Transactions: batch})
		seed(f, 5, &kmsg.AddPartitionsToTxnRequest{Transactions: batch[:1]})
	}
	f.Fuzz(func(t *testing.T, version int16, body []byte) { fuzzed(t, 24, version, body) })
}
