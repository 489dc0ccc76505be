package client_test

import (
	"testing"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/client/producer"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (w *world) openLinks() (n int) {
	for _, l := range w.sortedConns() {
		if l.open {
			n++
		}
	}
	return n
}

func TestAnUnusedClientWantsNothing(t *testing.T) {
	w := newWorld(t, newKafka(1), client.Options{})
	w.idle(60 * core.Minute)
	require.Empty(t, w.log)
	require.Zero(t, w.openLinks())
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	k := newKafka(1)
	k.topic("t", 1)
	w := newWorld(t, k, client.Options{Cluster: cluster.Options{ConnectionMaxIdle: 10 * core.Second}})
	w.produce("t", 0, 0, "a")
	w.settled(core.Second)
	require.Equal(t, 2, w.openLinks(), "bootstrap and broker")
	w.idle(11 * core.Second)
	require.Zero(t, w.openLinks())
	w.produce("t", 0, 1, "b")
	w.settled(core.Second)
	require.Equal(t, core.ErrNone, w.results[1].Err)
}

func TestMetadataIsRefreshedByAge(t *testing.T) {
	k := newKafka(1)
	k.topic("t", 1)
	w := newWorld(t, k, client.Options{Cluster: cluster.Options{MetadataMaxAge: 10 * core.Second}})
	w.produce("t", 0, 0, "a")
	w.settled(core.Second)
	before := w.requests("Metadata")
	w.idle(35 * core.Second)
	require.Equal(t, 3, w.requests("Metadata")-before)
}

// KIP-219: after a throttled answer the client keeps still for as long.
func TestThrottling(t *testing.T) {
	k := newKafka(1)
	ft := k.topic("t", 1)
	w := newWorld(t, k, client.Options{})
	w.intercept = func(r *inbound) (v verdict) {
		if r.body.Key() == int16(kmsg.Produce) && r.nth == 1 {
			resp := produceError(r, core.ErrThrottlingQuotaExceeded).(*kmsg.ProduceResponse)
			resp.ThrottleMillis = 3000
			v.answer = resp
		}
		return v
	}
	w.produce("t", 0, 0, "a")
	w.idle(2900 * core.Millisecond)
	require.Empty(t, ft.parts[0].values())
	w.settled(core.Second)
	require.Equal(t, []string{"a"}, ft.parts[0].values())
}

// KIP-899: when no known broker can be reached, the bootstrap servers are asked again.
func TestBootstrapAgain(t *testing.T) {
	k := newKafka(2)
	ft := k.topic("t", 1)
	ft.parts[0].leader = 1
	w := newWorld(t, k, client.Options{Cluster: fastCluster()})
	w.produce("t", 0, 0, "a")
	w.settled(core.Second)
	for _, b := range k.brokers {
		b.fail()
	}
	w.idle(2 * core.Second)
	k.brokers[0].up = true // the bootstrap server; the cluster has moved on
	k.brokers[1].port, k.brokers[1].up = 7777, true
	w.produce("t", 0, 1, "b")
	w.settled(10 * core.Second)
	require.Equal(t, []string{"a", "b"}, ft.parts[0].values())
}

func TestUnreachableBootstrapServers(t *testing.T) {
	k := newKafka(2)
	k.topic("t", 1)
	k.brokers[0].blackhole = true
	w := newWorld(t, k, client.Options{Cluster: cluster.Options{ConnectTimeout: core.Second,
		Bootstrap: []string{"nowhere:1", k.brokers[0].addr(), k.brokers[1].addr()}}})
	k.topics[0].parts[0].leader = 1
	w.produce("t", 0, 0, "a")
	w.settled(30 * core.Second)
	require.Equal(t, core.ErrNone, w.results[0].Err)
}

// A cluster that is down costs a bounded number of attempts and ends in a definite failure.
func TestClusterDown(t *testing.T) {
	k := newKafka(1)
	k.topic("t", 1)
	k.brokers[0].up = false
	w := newWorld(t, k, client.Options{Producer: producer.Options{DeliveryTimeout: 20 * core.Second}})
	w.produce("t", 0, 0, "a")
	w.settled(21 * core.Second)
	require.False(t, w.results[0].Ambiguous)
	require.NotEqual(t, core.ErrNone, w.results[0].Err)
	require.Less(t, len(w.conns), 40, "dials are backed off")
}

// An answer of the wrong kind counts as none.
func TestAnAnswerOfTheWrongKindIsALostOne(t *testing.T) {
	k := newKafka(1)
	ft := k.topic("t", 1)
	w := newWorld(t, k, client.Options{})
	w.intercept = func(r *inbound) (v verdict) {
		if r.body.Key() == int16(kmsg.Produce) && r.nth == 1 {
			v.answer = kmsg.NewPtrMetadataResponse()
		}
		return v
	}
	w.produce("t", 0, 0, "a")
	w.settled(5 * core.Second)
	require.Equal(t, []string{"a"}, ft.parts[0].values())
}

func TestOptionsAreValidated(t *testing.T) {
	for _, o := range []client.Options{
		{},
		{Cluster: cluster.Options{Bootstrap: []string{""}}},
		{Cluster: cluster.Options{Bootstrap: []string{"a:1"}}, Producer: producer.Options{MaxInFlight: 6}},
		{Cluster: cluster.Options{Bootstrap: []string{"a:1"}},
			Producer: producer.Options{Acks: producer.AcksLeader, Idempotence: producer.IdempotenceOn}},
		{Cluster: cluster.Options{Bootstrap: []string{"a:1"}}, Producer: producer.Options{Compression: 5}},
		{Cluster: cluster.Options{Bootstrap: []string{"a:1"}, RetryBackoff: -1}},
	} {
		_, err := client.New(o)
		require.Error(t, err, "%+v", o)
	}
}
