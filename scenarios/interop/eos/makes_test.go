package eos_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/klamm-log/klamm/scenarios/interop/harness"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestMain(m *testing.M) {
	if args := os.Getenv(asJob); args != "" {
		job(args)
		return
	}
	os.Exit(m.Run())
}

// What each make of producer writes: transactions of a few records over all partitions, every third of them aborted.
const (
	transactions = 30
	perTxn       = 20
	partitions   = 3
)

// value is one record's; aborted says whether its transaction is to be.
func value(txn, i int) string { return fmt.Sprintf("%d/%d", txn, i) }
func aborted(txn int) bool    { return txn%3 == 2 }

// committed are the values that a read_committed reader must see, sorted.
func committed() []string {
	var want []string
	for txn := range transactions {
		for i := range perTxn {
			if !aborted(txn) {
				want = append(want, value(txn, i))
			}
		}
	}
	slices.Sort(want)
	return want
}

// writer is one make of transactional producer: it writes the transactions to the topic.
type writer func(ctx context.Context, addrs []string, topic string) error

func TestTransactionsOfEveryMake(t *testing.T) {
	c := harness.StartCluster(t, harness.ClusterOptions{})
	makes := map[string]writer{"franz": franz, "sarama": saramaWriter}
	if why := librdkafkaMissing; why != "" {
		harness.Note(t, "%s", why)
	} else {
		makes["librdkafka"] = librdkafka
	}
	for name, write := range makes {
		t.Run(name, func(t *testing.T) {
			topic := "by-" + name
			harness.CreateReplicated(t, c.Nodes[0].Addr, topic, partitions, 3)
			c.AwaitFull(t, topic, 90*time.Second)
			ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
			defer cancel()
			if err := write(ctx, c.Addrs(), topic); err != nil {
				t.Fatal(err)
			}
			want := committed()
			if got := readByFranz(ctx, t, c.Addrs(), topic, len(want)); !slices.Equal(got, want) {
				t.Errorf("franz-go read %d committed records, want %d; the first that differs: %s", len(got), len(want), differs(got, want))
			}
			if got := readBySarama(ctx, t, c.Addrs(), topic, partitions, len(want)); !slices.Equal(got, want) {
				t.Errorf("sarama read %d committed records, want %d; the first that differs: %s", len(got), len(want), differs(got, want))
			}
		})
	}
}

// differs is the first difference of two sorted lists.
func differs(got, want []string) string {
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			return "missing " + want[i]
		case i >= len(want):
			return "extra " + got[i]
		case got[i] != want[i]:
			return fmt.Sprintf("got %s, want %s", got[i], want[i])
		}
	}
	return "none"
}

func franz(ctx context.Context, addrs []string, topic string) error {
	c, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.TransactionalID("franz"), kgo.DefaultProduceTopic(topic),
		kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	if err != nil {
		return err
	}
	defer c.Close()
	for txn := range transactions {
		if err := c.BeginTransaction(); err != nil {
			return err
		}
		for i := range perTxn {
			if err := c.ProduceSync(ctx, kgo.StringRecord(value(txn, i))).FirstErr(); err != nil {
				return fmt.Errorf("transaction %d: %w", txn, err)
			}
		}
		if err := c.EndTransaction(ctx, kgo.TransactionEndTry(!aborted(txn))); err != nil {
			return fmt.Errorf("end of transaction %d: %w", txn, err)
		}
	}
	return nil
}

func saramaWriter(_ context.Context, addrs []string, topic string) error {
	cfg := sarama.NewConfig()
	cfg.Version = sarama.V3_6_0_0
	cfg.Producer.Idempotent, cfg.Producer.RequiredAcks, cfg.Net.MaxOpenRequests = true, sarama.WaitForAll, 1
	cfg.Producer.Return.Successes, cfg.Producer.Transaction.ID = true, "sarama"
	cfg.Producer.Partitioner = sarama.NewRoundRobinPartitioner
	p, err := sarama.NewSyncProducer(addrs, cfg)
	if err != nil {
		return err
	}
	for txn := range transactions {
		if err := p.BeginTxn(); err != nil {
			return err
		}
		for i := range perTxn {
			if _, _, err := p.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(value(txn, i))}); err != nil {
				return fmt.Errorf("transaction %d: %w", txn, err)
			}
		}
		end := p.CommitTxn
		if aborted(txn) {
			end = p.AbortTxn
		}
		if err := end(); err != nil {
			return fmt.Errorf("end of transaction %d: %w", txn, err)
		}
	}
	return p.Close()
}

// quiet is how long a reader that has what it wants listens for what should not be there.
const quiet = time.Second

// readByFranz reads a topic's committed records, sorted; it ends once it has the number, and has heard nothing more.
func readByFranz(ctx context.Context, t *testing.T, addrs []string, topic string, n int) []string {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var got []string
	for ctx.Err() == nil {
		poll, cancel := ctx, context.CancelFunc(func() {})
		if len(got) >= n {
			poll, cancel = context.WithTimeout(ctx, quiet)
		}
		fetched := c.PollFetches(poll)
		cancel()
		fetched.EachRecord(func(r *kgo.Record) { got = append(got, string(r.Value)) })
		if len(got) >= n && fetched.NumRecords() == 0 {
			break
		}
	}
	slices.Sort(got)
	return got
}

// readBySarama does what readByFranz does.
func readBySarama(ctx context.Context, t *testing.T, addrs []string, topic string, partitions int32, n int) []string {
	t.Helper()
	cfg := sarama.NewConfig()
	cfg.Version, cfg.Consumer.IsolationLevel = sarama.V3_6_0_0, sarama.ReadCommitted
	c, err := sarama.NewConsumer(addrs, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	all := make(chan *sarama.ConsumerMessage)
	stop, cancel := context.WithCancel(ctx)
	defer cancel()
	for p := range partitions {
		part, err := c.ConsumePartition(topic, p, sarama.OffsetOldest)
		if err != nil {
			t.Fatal(err)
		}
		defer part.AsyncClose()
		go func() {
			for {
				select {
				case m := <-part.Messages():
					select {
					case all <- m:
					case <-stop.Done():
						return
					}
				case <-stop.Done():
					return
				}
			}
		}()
	}
	var got []string
	for {
		var more <-chan time.Time
		if len(got) >= n {
			more = time.After(quiet)
		}
		select {
		case m := <-all:
			got = append(got, string(m.Value))
			continue
		case <-more:
		case <-ctx.Done():
		}
		slices.Sort(got)
		return got
	}
}
