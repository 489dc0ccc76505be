package groups_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/IBM/sarama"
	"github.com/klamm-log/klamm/scenarios/interop/harness"
	"github.com/twmb/franz-go/pkg/kgo"
)

// asMember makes the test binary be a member: "client bootstrap group topic".
const asMember = "KLAMM_GROUP_MEMBER"

const (
	sessionTimeout = 6 * time.Second
	heartbeats     = time.Second
	batchRecords   = 500 // processed at most before a commit
)

// processed tells the test of a record. What stands in the pipe outlives the process.
type processed struct{ out *bufio.Writer }

func (p *processed) record(partition int32, offset int64) {
	fmt.Fprintf(p.out, "%d %d\n", partition, offset)
}

// member runs one member until SIGTERM; then it leaves the group in good order.
func member(args string) {
	f := strings.Fields(args)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	p := &processed{out: bufio.NewWriterSize(os.Stdout, 64<<10)}
	run := map[string]func(context.Context, []string, string, string, *processed) error{"franz": franz, "franz-sticky": franz, "sarama": saramaMember, "librdkafka": librdkafkaMember}[f[0]]
	var options []kgo.Opt
	if f[0] == "franz-sticky" {
		options = append(options, kgo.Balancers(kgo.CooperativeStickyBalancer()))
	}
	franzOptions = options
	if err := run(ctx, strings.Split(f[1], ","), f[2], f[3], p); err != nil && !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
}

// franzOptions are what a member process adds to franz-go's options; set once.
var franzOptions []kgo.Opt

func franz(ctx context.Context, addrs []string, group, topic string, p *processed) error {
	c, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(addrs...), kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.Balancers(kgo.RangeBalancer()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.SessionTimeout(sessionTimeout), kgo.HeartbeatInterval(heartbeats), kgo.RebalanceTimeout(20 * time.Second),
	}, franzOptions...)...)
	if err != nil {
		return err
	}
	defer c.Close()
	for ctx.Err() == nil {
		fetched := c.PollRecords(ctx, batchRecords)
		fetched.EachRecord(func(r *kgo.Record) { p.record(r.Partition, r.Offset) })
		if err := p.out.Flush(); err != nil {
			return err
		}
		// A commit that fails is repeated with the next one, or the records are processed again by whoever has them then.
		_ = c.CommitUncommittedOffsets(context.WithoutCancel(ctx))
		c.AllowRebalance()
	}
	return c.LeaveGroupContext(context.WithoutCancel(ctx))
}

// saramaHandler processes claims; sarama runs one goroutine per claim.
type saramaHandler struct {
	p    *processed
	lock chan struct{}
}

func (saramaHandler) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (saramaHandler) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (h saramaHandler) ConsumeClaim(s sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for n := 0; ; {
		var m *sarama.ConsumerMessage
		select {
		case m = <-claim.Messages():
		case <-s.Context().Done():
		}
		h.lock <- struct{}{}
		if m != nil {
			h.p.record(m.Partition, m.Offset)
			s.MarkMessage(m, "")
			n++
		}
		err := error(nil)
		if m == nil || n%(batchRecords/5) == 0 || len(claim.Messages()) == 0 {
			if err = h.p.out.Flush(); err == nil { // all claims share the writer, so all that is marked is out
				s.Commit()
			}
		}
		<-h.lock
		if m == nil || err != nil {
			return err
		}
	}
}

func saramaMember(ctx context.Context, addrs []string, group, topic string, p *processed) error {
	cfg := sarama.NewConfig()
	cfg.Version = sarama.V3_6_0_0
	cfg.Consumer.Offsets.Initial, cfg.Consumer.Offsets.AutoCommit.Enable = sarama.OffsetOldest, false
	cfg.Consumer.Group.Session.Timeout, cfg.Consumer.Group.Heartbeat.Interval = sessionTimeout, heartbeats
	cfg.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{sarama.NewBalanceStrategyRange()}
	cfg.Metadata.Retry.Max = 50
	c, err := sarama.NewConsumerGroup(addrs, group, cfg)
	if err != nil {
		return err
	}
	h := saramaHandler{p: p, lock: make(chan struct{}, 1)}
	for ctx.Err() == nil {
		if err := c.Consume(ctx, []string{topic}, h); err != nil { // a broker died: again
			log.Print(err)
			harness.Wait(200 * time.Millisecond)
		}
	}
	return c.Close()
}
