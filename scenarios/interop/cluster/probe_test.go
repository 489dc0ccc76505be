package cluster_test

import (
	"fmt"
	"sync"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// probed is a second topic, spread like the first, to which probes write.
const probed = "probe"

// probe measures when a partition takes records again without a client library's timeouts, which for a stopped leader
// are most of what an application sees: ask a living node who leads, write one record with acks=all on a new connection,
// and begin anew if either fails. Times count from an instant, of the partitions that a node led.
func (b *battle) probe(at time.Time, before harness.View, victim int) times {
	b.t.Helper()
	return b.probeAll(at, before.Led(int32(victim+1)), victim)
}

// probeAll does so for some partitions. A victim of -1 is nobody.
func (b *battle) probeAll(at time.Time, wanted []int, victim int) times {
	b.t.Helper()
	var mu sync.Mutex
	var wait sync.WaitGroup
	var took times
	for _, p := range wanted {
		wait.Go(func() {
			why := error(nil)
			for time.Since(at) < resume {
				if why = b.probeOnce(int32(p), victim); why == nil {
					mu.Lock()
					took = append(took, time.Since(at))
					mu.Unlock()
					return
				}
				harness.Wait(10 * time.Millisecond)
			}
			b.t.Errorf("%s-%d took no record for %v: %v", probed, p, resume, why)
		})
	}
	wait.Wait()
	return took
}

// probeOnce writes one record to a partition through its leader of the highest epoch that a living node knows.
func (b *battle) probeOnce(partition int32, victim int) error {
	leader, epoch := int32(-1), int32(-1)
	for _, addr := range b.cluster.Addrs(victim) {
		v, err := harness.Look(addr, probed)
		if err != nil {
			return err
		}
		if p := v.Partitions[partition]; p.LeaderEpoch > epoch {
			leader, epoch = p.Leader, p.LeaderEpoch
		}
	}
	if leader < 0 || int(leader-1) == victim {
		return fmt.Errorf("led by %d", leader)
	}
	written := kmsg.NewProduceRequestTopicPartition()
	written.Partition, written.Records = partition, harness.Plain("probe").Encode()
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic, topic.Partitions = probed, append(topic.Partitions, written)
	request := kmsg.NewPtrProduceRequest()
	request.SetVersion(9)
	request.Acks, request.TimeoutMillis = -1, 2000
	request.Topics = append(request.Topics, topic)
	answer, err := harness.Query(b.cluster.Nodes[leader-1].Addr, request)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(answer.(*kmsg.ProduceResponse).Topics[0].Partitions[0].ErrorCode)
}
