//go:build !js

package main

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/cli/clitest"
	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/hist"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/klamm-log/klamm/core/client/consumer"
	"github.com/klamm-log/klamm/core/client/producer"
)

func TestSystemUsage(t *testing.T) {
	for _, test := range []struct {
		line string
		code exit.Code
		says string
	}{
		{"node a b", exit.Usage, "accepts at most 1 arg(s)"},
		{"node /nonsense", exit.NoInput, "no such file"},
		{"node --set x", exit.Usage, "not name=value"},
		{"node --listen x", exit.Usage, "missing port"},
		{"node --set num.partitions=x", exit.Config, "num.partitions"},
		{"node --set process.roles=broker", exit.Config, "process.roles"},
		{"topic create", exit.Usage, "accepts 1 arg(s)"},
		{"topic create t -c x", exit.Usage, "not name=value"},
		{"topic alter t", exit.Usage, "nothing to change"},
		{"topic list -b nonsense", exit.Usage, "not host:port"},
		{"topic list --timeout 0s", exit.Usage, "not positive"},
		{"topic list -b 127.0.0.1:1 --timeout 50ms", exit.Unavailable, "no broker answers at 127.0.0.1:1: "},
		{"produce t -v x -b 127.0.0.1:1 --timeout 50ms", exit.Unavailable, "no broker answers at 127.0.0.1:1: "},
		{"produce t --acks 2", exit.Usage, "--acks"},
		{"produce t --codec br", exit.Usage, "--codec"},
		{"produce t -p -2", exit.Usage, "--partition"},
		{"produce t -H x", exit.Usage, "--header"},
		{"consume t --from x", exit.Usage, "--from"},
		{"consume t --from @x", exit.Usage, "--from"},
		{"consume t -f %q", exit.Usage, "there is no %q"},
		{"consume t -n -1", exit.Usage, "--count"},
		{"bench produce --records 0", exit.Usage, "--records"},
		{"bench consume --warmup -1", exit.Usage, "--warmup"},
	} {
		code, out, talk := klamm(t.Context(), "", strings.Fields(test.line)...)
		if code != test.code || !strings.Contains(talk, "klamm: ") || !strings.Contains(talk, test.says) || out != "" {
			t.Errorf("klamm %s: exit %d, printed %q, said %q; want %d and %q", test.line, int(code), out, talk, int(test.code), test.says)
		}
	}
}

func TestNodeProperties(t *testing.T) {
	file := filepath.Join(t.TempDir(), "server.properties")
	if err := os.WriteFile(file, []byte("log.dir=/from/file\nlisteners=PLAINTEXT://file:1\nnum.partitions=3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		o    nodeOptions
		want map[string]string
	}{
		{nodeOptions{}, map[string]string{"listeners": "PLAINTEXT://127.0.0.1:9092"}},
		{nodeOptions{File: file}, map[string]string{"listeners": "PLAINTEXT://file:1", "log.dir": "/from/file", "num.partitions": "3"}},
		{nodeOptions{File: file, Set: []string{"num.partitions=5", "a=b=c"}}, map[string]string{
			"listeners": "PLAINTEXT://file:1", "log.dir": "/from/file", "num.partitions": "5", "a": "b=c",
		}},
		{nodeOptions{File: file, Data: "d", Listen: "h:2"}, map[string]string{
			"listeners": "PLAINTEXT://h:2", "log.dirs": "d", "num.partitions": "3",
		}},
		{nodeOptions{Listen: "h:2", Set: []string{ // a quorum's address is not a client's to move
			"listeners=X://a:1,c://b:2", "advertised.listeners=X://d:3,C://e:4", "controller.listener.names=C",
		}}, map[string]string{
			"listeners": "PLAINTEXT://h:2,c://b:2", "advertised.listeners": "C://e:4", "controller.listener.names": "C",
		}},
	} {
		got, err := test.o.properties()
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%+v: %v, %v", test.o, got, err)
		}
	}
}

func TestParseFrom(t *testing.T) {
	for in, want := range map[string]consumer.Start{
		"beginning":             {Kind: consumer.SeekBeginning},
		"end":                   {Kind: consumer.SeekEnd},
		"42":                    {Kind: consumer.SeekOffset, Offset: 42},
		"@1700000000000":        {Kind: consumer.SeekTimestamp, Timestamp: 1_700_000_000_000},
		"@2023-11-14T22:13:20Z": {Kind: consumer.SeekTimestamp, Timestamp: 1_700_000_000_000},
	} {
		if got, tail, err := parseFrom(in); err != nil || got != want || tail != 0 {
			t.Errorf("%s: %+v, %d, %v", in, got, tail, err)
		}
	}
	if _, tail, err := parseFrom("-7"); err != nil || tail != 7 {
		t.Errorf("the last seven: %d, %v", tail, err)
	}
	for _, in := range []string{"", "x", "@", "@yesterday", "@-1", "1.5"} {
		if _, _, err := parseFrom(in); exit.Of(err) != exit.Usage {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestFormat(t *testing.T) {
	r := consumer.Record{
		Topic: "t", Partition: 3, Offset: 17, Timestamp: 99, Key: []byte("k"), Value: []byte("v"),
		Headers: []consumer.Header{{Key: []byte("a"), Value: []byte("1")}, {Key: []byte("b")}},
	}
	for in, want := range map[string]string{
		`%v\n`:                       "v\n",
		`%t-%p@%o %k=%v\t%T %h %%\\`: "t-3@17 k=v\t99 a=1,b= %\\",
		"":                           "",
		"plain":                      "plain",
	} {
		f, err := parseFormat(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(appendRecord(nil, f, &r)); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
	for _, in := range []string{"%", `\`, "%x", `\x`, "a%"} {
		if _, err := parseFormat(in); exit.Of(err) != exit.Usage {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestReadLines(t *testing.T) {
	read := func(in string) (lines []string) {
		for l := range readLines(t.Context(), strings.NewReader(in)) {
			if l.end || l.err != nil {
				break
			}
			lines = append(lines, string(l.text))
		}
		return lines
	}
	for in, want := range map[string][]string{
		"": nil, "a": {"a"}, "a\n": {"a"}, "a\nb": {"a", "b"}, "\n\n": {"", ""}, "a\r\nb\r\n": {"a", "b"},
	} {
		if got := read(in); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q", in, got)
		}
	}
	if l := <-readLines(t.Context(), iotest.ErrReader(os.ErrClosed)); l.err == nil {
		t.Error("a read error is lost")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	lines := 0
	for range readLines(ctx, strings.NewReader(strings.Repeat("a\n", 5000))) { // more than the channel holds
		lines++
	}
	if lines == 5000 {
		t.Error("reading goes on after the context has ended")
	}
}

func TestPrintedResults(t *testing.T) {
	id := core.TopicIDFromWords(1, 2)
	topic := kclient.Topic{Name: "t", ID: id, Partitions: []kclient.Partition{
		{Index: 0, Leader: 1, LeaderEpoch: 3, Replicas: []core.NodeID{1, 2}, ISR: []core.NodeID{1}},
		{Index: 1, Leader: core.NoNode, Err: core.ErrLeaderNotAvailable, Offline: []core.NodeID{2}},
	}}
	first := []admin.PartitionOffset{{Offset: 5}, {Offset: core.NoOffset, Err: core.ErrLeaderNotAvailable}}
	last := []admin.PartitionOffset{{Offset: 1234567}, {Offset: core.NoOffset, Err: core.ErrLeaderNotAvailable}}
	configs := []kclient.Config{{Name: "retention.ms", Value: "1", HasValue: true, Override: true}, {Name: "secret"}}
	clitest.Golden(t, "topic_describe.txt", clitest.Printed(t, topicDescriptions{
		newTopicDescription(topic, first, last, configs, false), newTopicDescription(topic, first, last, configs, true),
	}))
	clitest.Golden(t, "topic_list.txt", clitest.Printed(t, topicListOf(kclient.Cluster{Topics: []kclient.Topic{topic, {Name: "u", Err: core.ErrInvalidTopic}}})))
	clitest.Golden(t, "topic_done.txt", clitest.Printed(t, topicDone{Topic: "t", ID: id.String(), Done: "created"}))
	clitest.Golden(t, "produced.txt", clitest.Printed(t, newProducedRow("t", &producer.Result{
		Token: 3, Partition: 1, Offset: core.NoOffset, Timestamp: 9, Err: core.ErrRequestTimedOut, Ambiguous: true,
	})))
	clitest.Golden(t, "consumed.txt", clitest.Printed(t, newConsumedRow(&consumer.Record{
		Topic: "t", Partition: 1, Offset: 2, Timestamp: 3, Value: []byte{0xff, 0}, Headers: []consumer.Header{{Key: []byte("h")}},
	})))
	clitest.Golden(t, "node.txt", clitest.Printed(t, nodeResult{
		Listeners:   []nodeListener{{Name: "PLAINTEXT", Address: "127.0.0.1:9092", Advertised: "localhost:9092"}},
		Controllers: []nodeListener{{Name: "CONTROLLER", Address: "127.0.0.1:9093", Advertised: "h:9093"}},
		ClusterID:   "abc", NodeID: 1, Data: "data", RecoveryNs: 1_234_567, Pid: 42,
	}))
	var h hist.Hist
	for i := range 1000 {
		h.Add(time.Duration(i) * time.Microsecond)
	}
	r := benchResult{Schema: benchSchema, Kind: "produce", Topic: "t", Records: 1000, Bytes: 1_024_000, Acks: "all", Codec: "none", Latency: latencyOf(&h)}
	r.measured(time.Second)
	clitest.Golden(t, "bench.txt", clitest.Printed(t, r))
}
