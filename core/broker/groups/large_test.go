package groups_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/assignor/protocol"
	"github.com/klamm-log/klamm/core/broker/groups"
)

// talkative is a classic member that has much to say: one is as much as half a record holds, three are too much.
type talkative struct {
	r     *rig
	id    string
	epoch int32
	has   []int32
}

func (c *talkative) request(member string) *kmsg.JoinGroupRequest {
	s := protocol.Subscription{Topics: []string{"t"}, Generation: c.epoch}
	for i := range 20 {
		s.Topics = append(s.Topics, fmt.Sprint(strings.Repeat("x", 240), i))
	}
	for _, p := range c.has {
		s.Owned = append(s.Owned, core.TopicPartition{Topic: "t", Partition: p})
	}
	req := joining("g", member)
	req.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "cooperative-sticky", Metadata: s.AppendTo(nil, protocol.Newest)}}
	return req
}

// follow joins and syncs until the member is asked for nothing more, as far as it can get alone.
func (c *talkative) follow() {
	for range 4 {
		joined := c.r.call(9, c.request(c.id)).(*kmsg.JoinGroupResponse)
		require.Zero(c.r.t, joined.ErrorCode)
		c.epoch = joined.Generation
		sync := c.r.syncing("g", c.id, c.epoch, nil)
		sync.Protocol = joined.Protocol
		resp := c.r.call(5, sync).(*kmsg.SyncGroupResponse)
		if code(resp.ErrorCode) == core.ErrRebalanceInProgress {
			continue
		}
		require.Zero(c.r.t, resp.ErrorCode)
		a, _, err := protocol.ParseAssignment(resp.MemberAssignment)
		require.NoError(c.r.t, err)
		c.has = nil
		for _, tp := range a.Partitions {
			c.has = append(c.has, tp.Partition)
		}
		if c.r.heartbeat("g", c.id, c.epoch) == core.ErrNone {
			return
		}
	}
}

// KIP-848, online downgrade: the members that are left do not fit into the one record of a classic group. It stays a consumer group, in
// which they get what the last member of the new protocol had, also by the next coordinator; when there are few enough it
// becomes a classic one.
func TestDowngradeThatNoRecordHolds(t *testing.T) {
	ways := map[string]func(r *rig, beat func()){
		"it leaves": func(r *rig, _ func()) { r.leaveConsumer("B") },
		"its session ends": func(r *rig, beat func()) {
			for range 46 {
				beat()
				r.pass(core.Second)
			}
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.most = 12_000
			r.leadAll(1)
			r.joinConsumer("B")
			var members []*talkative
			for range 3 {
				c := &talkative{r: r, epoch: -1}
				c.id = r.call(9, c.request("")).(*kmsg.JoinGroupResponse).MemberID
				c.follow()
				members = append(members, c)
			}
			all := func() (has []int32) {
				for range 3 {
					for _, c := range members {
						c.follow()
					}
				}
				for _, c := range members {
					has = append(has, c.has...)
				}
				slices.Sort(has)
				return has
			}
			require.Empty(t, all(), "the first one has everything")

			way(r, func() {
				for _, c := range members {
					_ = r.heartbeat("g", c.id, c.epoch)
				}
			})
			rows := r.describeConsumers("g")
			require.Zero(t, rows[0].ErrorCode, "it is a consumer group")
			require.Len(t, rows[0].Members, 3)
			require.Equal(t, []int32{0, 1, 2, 3, 4, 5, 6, 7}, all())
			p := groups.PartitionFor("g", partitions)
			r.plane.Unlead(r.now, p, 1, &r.out)
			r.lead(p, 2)
			require.Equal(t, []int32{0, 1, 2, 3, 4, 5, 6, 7}, all())
			require.Equal(t, "Stable", r.describeConsumers("g")[0].State)
			r.mustCommit("g", members[1].id, members[1].epoch, members[1].has[0], 17)

			leave := kmsg.NewPtrLeaveGroupRequest()
			leave.Group, leave.Members = "g", []kmsg.LeaveGroupRequestMember{{MemberID: members[0].id}}
			require.Zero(t, r.call(5, leave).(*kmsg.LeaveGroupResponse).Members[0].ErrorCode)
			require.Equal(t, "PreparingRebalance", r.state("g"), "a classic group of two fits")
			require.Len(t, r.describe(5, "g").Members, 2)
			require.Equal(t, core.ErrRebalanceInProgress, r.heartbeat("g", members[1].id, members[1].epoch))
			require.Equal(t, int64(17), r.fetchOffset("g", members[1].has[0]))
		})
	}
}

// The offsets of a group need more tombstones than one batch holds, whatever max.message.bytes is: the group can be deleted, and it expires.
func TestTombstonesFitIntoSmallBatches(t *testing.T) {
	const retention = 60 * core.Minute
	gone := map[string]func(r *rig){
		"deleted": func(r *rig) {
			req := kmsg.NewPtrDeleteGroupsRequest()
			req.Groups = []string{"many"}
			require.Zero(t, r.call(2, req).(*kmsg.DeleteGroupsResponse).Groups[0].ErrorCode)
		},
		"expired": func(r *rig) { r.pass(2 * retention) },
	}
	for name, way := range gone {
		t.Run(name, func(t *testing.T) {
			r := newRigWith(t, "offsets.retention.minutes", "60")
			r.leadAll(1)
			r.topic("u", 3, 500)
			for partition := range int32(500) {
				req := committing("many", "", -1, partition, 1)
				req.Topics[0].Topic = "u"
				require.Zero(t, r.call(9, req).(*kmsg.OffsetCommitResponse).Topics[0].Partitions[0].ErrorCode)
			}
			r.most = 1000
			way(r)
			require.Equal(t, "Dead", r.state("many"))
			r.leadAll(2)
			require.Equal(t, "Dead", r.state("many"))
		})
	}
}
