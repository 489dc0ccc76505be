package groups_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker/groups"
	"github.com/klamm-log/klamm/core/broker/shards"
	"github.com/klamm-log/klamm/core/coord"
	"github.com/klamm-log/klamm/core/record"
)

const txnPID = 77

// newTxnRig is a rig that leads everything, in a cluster that has transactions.
func newTxnRig(t require.TestingT) *rig {
	r := newRig(t)
	r.topic(shards.TxnTopic, 9, 1)
	r.leadAll(1)
	return r
}

func txnCommitting(group string, epoch int16, offset int64) *kmsg.TxnOffsetCommitRequest {
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.Group, req.ProducerID, req.ProducerEpoch = "x", group, txnPID, epoch
	p := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	p.Partition, p.Offset, p.LeaderEpoch, p.Metadata = 2, offset, 3, kmsg.StringPtr("m")
	req.Topics = []kmsg.TxnOffsetCommitRequestTopic{{Topic: "t", Partitions: []kmsg.TxnOffsetCommitRequestTopicPartition{p}}}
	return req
}

func (r *rig) txnCode(seq uint64) core.ErrorCode {
	return core.ErrorCode(r.answer(seq).(*kmsg.TxnOffsetCommitResponse).Topics[0].Partitions[0].ErrorCode)
}

// txnCommit commits an offset in a transaction that the coordinator knows.
func (r *rig) txnCommit(version int16, group string, epoch int16, offset int64) core.ErrorCode {
	seq := r.send(version, txnCommitting(group, epoch, offset))
	r.verify(core.ErrNone)
	return r.txnCode(seq)
}

// mark appends a marker to the group's partition, as its leader does.
func (r *rig) mark(group string, epoch int16, commit bool) { r.append(group, epoch, commit, false) }

// markBumped is mark with transaction version 2: the epoch is above that of the transaction.
func (r *rig) markBumped(group string, epoch int16, commit bool) {
	r.append(group, epoch, commit, true)
}

func (r *rig) append(group string, epoch int16, commit, bumped bool) {
	p := groups.PartitionFor(group, partitions)
	m := coord.Marker{ProducerID: txnPID, Epoch: core.ProducerEpoch(epoch), Commit: commit, Bumped: bumped}
	var b record.Builder
	b.Begin(nil, record.Options{
		Control: true, Transactional: true, Idempotent: true, ProducerID: m.ProducerID, ProducerEpoch: m.Epoch, BaseSequence: record.NoSequence,
	})
	require.NoError(r.t, b.AppendEndTxn(0, commit, 1))
	marker, err := b.Finish(&record.Codecs{})
	require.NoError(r.t, err)
	var leads core.LeaderEpoch
	for _, v := range r.plane.Views() {
		if v.Partition == p {
			leads = v.Epoch
		}
	}
	require.Equal(r.t, core.ErrNone, r.plane.MarkerCode(p, leads))
	next, code := r.Append(r.now, p, leads, marker)
	require.Equal(r.t, core.ErrNone, code)
	r.plane.Marked(r.now, p, leads, next, &m, &r.out)
	r.settle()
}

// unstable is what a reader that insists on stable offsets is told.
func (r *rig) unstable(group string) core.ErrorCode {
	req := kmsg.NewPtrOffsetFetchRequest()
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = group
	g.Topics = []kmsg.OffsetFetchRequestGroupTopic{{Topic: "t", Partitions: []int32{2}}}
	req.Groups, req.RequireStable = []kmsg.OffsetFetchRequestGroup{g}, true
	return core.ErrorCode(r.call(9, req).(*kmsg.OffsetFetchResponse).Groups[0].Topics[0].Partitions[0].ErrorCode)
}

// F10: offsets of a transaction count when its marker comes, not before, and not if it aborts; the same after a reload.
func TestTransactionalOffsets(t *testing.T) {
	for version := int16(0); version <= 5; version++ {
		r := newTxnRig(t)
		r.mustCommit("g", "", -1, 2, 5)
		require.Equal(t, core.ErrNone, r.txnCommit(version, "g", 0, 10))
		require.Equal(t, int64(5), r.fetchOffset("g", 2))
		require.Equal(t, core.ErrUnstableOffsetCommit, r.unstable("g"))
		r.leadAll(2)
		require.Equal(t, int64(5), r.fetchOffset("g", 2))
		require.Equal(t, core.ErrUnstableOffsetCommit, r.unstable("g"))
		r.mark("g", 0, false)
		require.Equal(t, int64(5), r.fetchOffset("g", 2))
		require.Equal(t, core.ErrNone, r.unstable("g"))
		require.Equal(t, core.ErrNone, r.txnCommit(version, "g", 1, 11))
		r.mark("g", 1, true)
		require.Equal(t, int64(11), r.fetchOffset("g", 2))
		r.leadAll(3)
		require.Equal(t, int64(11), r.fetchOffset("g", 2))
	}
}

// A group of which only a transaction knows comes into being with its commit, also where a reload came between.
func TestAGroupOfOneTransaction(t *testing.T) {
	for _, commit := range []bool{true, false} {
		for _, reload := range []bool{true, false} {
			r := newTxnRig(t)
			require.Equal(t, core.ErrNone, r.txnCommit(5, "g", 0, 10))
			if reload {
				r.leadAll(2)
			}
			r.mark("g", 1, commit)
			want := map[bool]int64{true: 10, false: -1}[commit]
			require.Equal(t, want, r.fetchOffset("g", 2))
			listed := r.call(5, kmsg.NewPtrListGroupsRequest()).(*kmsg.ListGroupsResponse).Groups
			require.Equal(t, commit, len(listed) == 1, "committed %v, reloaded %v", commit, reload)
		}
	}
}

func TestTheTransactionCoordinatorIsAsked(t *testing.T) {
	r := newTxnRig(t)
	for _, c := range []struct {
		version int16
		said    core.ErrorCode
		want    core.ErrorCode
	}{
		{5, core.ErrConcurrentTransactions, core.ErrCoordinatorLoadInProgress},
		{3, core.ErrNotCoordinator, core.ErrCoordinatorLoadInProgress},
		{3, core.ErrProducerFenced, core.ErrInvalidProducerEpoch},
		{3, core.ErrTransactionAbortable, core.ErrInvalidTxnState},
		{4, core.ErrTransactionAbortable, core.ErrTransactionAbortable},
		{4, core.ErrInvalidProducerIDMapping, core.ErrInvalidProducerIDMapping},
	} {
		seq := r.send(c.version, txnCommitting("g", 0, 10))
		require.NotContains(t, r.answered, seq)
		x := r.asked[0].req.Transactions[0]
		require.Equal(t, []any{"x", int64(txnPID), c.version < 5, groups.Topic}, []any{x.TransactionalID, x.ProducerID, x.VerifyOnly, x.Topics[0].Topic})
		require.Equal(t, []int32{groups.PartitionFor("g", partitions)}, x.Topics[0].Partitions)
		r.verify(c.said)
		require.Equal(t, c.want, r.txnCode(seq))
		require.Equal(t, core.ErrNone, r.unstable("g"), "nothing was appended")
	}
	seq := r.send(5, txnCommitting("g", 0, 10))
	x := r.asked[0]
	r.asked = nil
	x.then(r.now, nil, &r.out)
	r.settle()
	require.Equal(t, core.ErrCoordinatorLoadInProgress, r.txnCode(seq), "no answer")
}

// F5 b: the transaction ends while its coordinator's answer is under way.
func TestAMarkerOvertakesTheVerification(t *testing.T) {
	r := newTxnRig(t)
	seq := r.send(3, txnCommitting("g", 0, 10))
	r.mark("g", 0, false)
	r.verify(core.ErrNone)
	require.Equal(t, core.ErrInvalidTxnState, r.txnCode(seq))
	require.Equal(t, core.ErrNone, r.unstable("g"), "no offset waits for a marker that has come")
	seq = r.send(3, txnCommitting("g", 0, 10))
	r.leadAll(2)
	r.verify(core.ErrNone)
	require.Equal(t, core.ErrNotCoordinator, r.txnCode(seq))
}

// KAFKA-18575: with transaction version 2 a producer goes on before the markers of its last transaction are written. What waits for the
// coordinator then belongs to the next one.
func TestTheNextTransactionOutlivesTheMarker(t *testing.T) {
	r := newTxnRig(t)
	seq := r.send(5, txnCommitting("g", 1, 10))
	r.markBumped("g", 1, true)
	r.verify(core.ErrNone)
	require.Equal(t, core.ErrNone, r.txnCode(seq))
	require.Equal(t, core.ErrUnstableOffsetCommit, r.unstable("g"))
	late := r.send(5, txnCommitting("g", 1, 11))
	r.markBumped("g", 2, true)
	r.verify(core.ErrNone)
	require.Equal(t, core.ErrInvalidTxnState, r.txnCode(late), "the transaction that has ended")
	require.Equal(t, int64(10), r.fetchOffset("g", 2))
}

// KIP-447: a member of an older generation must not commit, in a transaction neither.
func TestTransactionalCommitsAreFencedByGeneration(t *testing.T) {
	r := newTxnRig(t)
	ids, generation := r.stable("g", 1)
	commit := func(member string, generation int32) core.ErrorCode {
		req := txnCommitting("g", 0, 10)
		req.MemberID, req.Generation = member, generation
		seq := r.send(5, req)
		r.verify(core.ErrNone)
		return r.txnCode(seq)
	}
	require.Equal(t, core.ErrNone, commit(ids[0], generation))
	require.Equal(t, core.ErrIllegalGeneration, commit(ids[0], generation-1))
	require.Equal(t, core.ErrUnknownMemberID, commit("nobody", generation))
	require.Equal(t, core.ErrNone, commit("", -1), "a producer that is older than KIP-447")
	req := txnCommitting("other", 0, 10)
	req.MemberID, req.Generation = "m", 1
	seq := r.send(5, req)
	r.verify(core.ErrNone)
	require.Equal(t, core.ErrIllegalGeneration, r.txnCode(seq))
}

func TestBadTransactionalCommits(t *testing.T) {
	r := newTxnRig(t)
	for want, change := range map[core.ErrorCode]func(*kmsg.TxnOffsetCommitRequest){
		core.ErrInvalidGroupID:           func(q *kmsg.TxnOffsetCommitRequest) { q.Group = "\xff" },
		core.ErrInvalidRequest:           func(q *kmsg.TxnOffsetCommitRequest) { q.TransactionalID = "" },
		core.ErrInvalidProducerIDMapping: func(q *kmsg.TxnOffsetCommitRequest) { q.ProducerID = -1 },
	} {
		req := txnCommitting("g", 0, 10)
		change(req)
		require.Equal(t, want, r.txnCode(r.send(5, req)))
		require.Empty(t, r.asked)
	}
	req := txnCommitting("g", 0, 10)
	req.Topics[0].Topic = "none"
	seq := r.send(5, req)
	r.verify(core.ErrNone)
	require.Equal(t, core.ErrUnknownTopicOrPartition, r.txnCode(seq))
	req = txnCommitting("g", 0, 10)
	req.Topics[0].TopicID = core.TopicIDFromWords(7, 2)
	seq = r.send(6, req)
	r.verify(core.ErrNone)
	require.Equal(t, core.ErrNone, r.txnCode(seq))
	req = txnCommitting("g", 0, 10)
	req.Topics[0].TopicID = core.TopicIDFromWords(7, 99)
	seq = r.send(6, req)
	r.verify(core.ErrNone)
	require.Equal(t, core.ErrUnknownTopicID, r.txnCode(seq))
}

// Offsets of the group without a name are an old consumer's own; a transaction's need a group, as Kafka's GroupCoordinatorService has it.
func TestTransactionalCommitWithoutAGroup(t *testing.T) {
	r := newTxnRig(t)
	require.Equal(t, core.ErrInvalidGroupID, r.txnCode(r.send(5, txnCommitting("", 0, 10))))
	require.Empty(t, r.asked)
}

// Producers before TxnOffsetCommit 2 end when they are told that a coordinator is loading (KAFKA-7296).
func TestOldProducersAreNotToldOfLoading(t *testing.T) {
	r := newTxnRig(t)
	for version, want := range []core.ErrorCode{core.ErrCoordinatorNotAvailable, core.ErrCoordinatorNotAvailable, core.ErrCoordinatorLoadInProgress} {
		seq := r.send(int16(version), txnCommitting("g", 0, 10))
		r.verify(core.ErrConcurrentTransactions)
		require.Equal(t, want, r.txnCode(seq), "version %d", version)
	}
	r.auto = false
	group := groups.PartitionFor("g", partitions)
	r.plane.Unlead(r.now, group, 1, &r.out)
	r.plane.Lead(r.now, group, 2, 0, 1, &r.out)
	require.Equal(t, core.ErrCoordinatorNotAvailable, r.txnCode(r.send(1, txnCommitting("g", 0, 10))))
}

// A member of a consumer group may commit what it has had since the epoch that it names or before (KIP-1251). Of the rest a
// producer is told what it knows how to go on from: ILLEGAL_GENERATION, not the member's STALE_MEMBER_EPOCH.
func TestTransactionalCommitOfAnOldMemberEpoch(t *testing.T) {
	r := newTxnRig(t)
	old, _ := r.joinConsumer("A")
	r.joinConsumer("B")
	r.beatOwning("A", old, 0, 1, 2, 3, 4, 5, 6, 7)
	moved, _ := r.beatOwning("A", old, 0, 1, 2, 3)
	require.Greater(t, moved.MemberEpoch, old)
	req := txnCommitting("g", 0, 5)
	req.MemberID, req.Generation = "A", old
	for partition, want := range map[int32]core.ErrorCode{3: core.ErrNone, 4: core.ErrIllegalGeneration} {
		req.Topics[0].Partitions[0].Partition = partition
		seq := r.send(5, req)
		r.verify(core.ErrNone)
		require.Equal(t, want, r.txnCode(seq), "partition %d", partition)
	}
	plain := r.call(9, committing("g", "A", old, 4, 5)).(*kmsg.OffsetCommitResponse)
	require.Equal(t, core.ErrStaleMemberEpoch, code(plain.Topics[0].Partitions[0].ErrorCode), "a consumer knows that one")
}
