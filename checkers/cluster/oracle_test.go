package cluster

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
)

// The cases of testdata/cases.txt: one step of a cluster per line, "key=value" and bare words in any order.
//
//	up 1 2 3                     processes start            down 2 wiped
//	broker 1 epoch=7 fenced      a committed registration, which node 1 knows of (unless "unheard")
//	open 1 start=0 end=5 | 0..4e1   a log is ready; "meta" on any line means the metadata log
//	append 1 0..4 e=1 crc=7      cut 1 at=3      restart 1 at=3      close 1     durable 1 at=5
//	state leader=1 e=1 pe=1 isr=1,2 elr=3 replicas=1,2,3 min=2      look 1 leader e=1 hw=5 max=1,2,3 unknown
//	acked 4     deleted 3     told 5 lso=3     quorum 1 leads e=1 voted=1 hw=2 log=0 snap=0 voters=1,2,3
//	voters 1 ids=1,2 at=3 e=1    a voter set in 1's metadata log     accept 1 isr=1 least=2 at=4     acknowledged with acks=all
//	append 1 3..3e1 by=5 pe=0 seq=0 txn      the batch's producer; "commit" or "abort" with ce= is its marker
//	table 1 hw=3 lso=3 start=0 | 5:0:4:9:-1:-1   what 1 holds: producer:epoch:sequence:offset:coordinator epoch:open transaction
//	forgot 1 by=5                by expiry
//	cluster                      three brokers and voters with an empty partition, led by 1
type script struct {
	t      *testing.T
	o      *Oracle
	now    core.Mono
	image  core.Offset
	words  []string
	batch  string
	epochs map[core.NodeID]core.BrokerEpoch
	apply  map[core.NodeID]core.Offset
}

func topic() core.TopicID { return core.TopicID{1} }

func (s *script) flag(name string) bool {
	for _, w := range s.words {
		if w == name {
			return true
		}
	}
	return false
}

func (s *script) num(name string, def int64) int64 {
	for _, w := range s.words {
		if v, ok := strings.CutPrefix(w, name+"="); ok {
			n, err := strconv.ParseInt(v, 10, 64)
			require.NoError(s.t, err, w)
			return n
		}
	}
	return def
}

func (s *script) ids(name string, def ...core.NodeID) []core.NodeID {
	for _, w := range s.words {
		if v, ok := strings.CutPrefix(w, name+"="); ok {
			var out []core.NodeID
			for _, f := range strings.FieldsFunc(v, func(r rune) bool { return r == ',' }) {
				n, err := strconv.Atoi(f)
				require.NoError(s.t, err, w)
				out = append(out, core.NodeID(n))
			}
			return out
		}
	}
	return def
}

func (s *script) node() core.NodeID {
	n, err := strconv.Atoi(s.words[1])
	require.NoError(s.t, err, s.words)
	return core.NodeID(n)
}

func (s *script) key() history.Key {
	if s.flag("meta") {
		return metadata()
	}
	return history.Key{TopicID: topic()}
}

func (s *script) span(text string) (base, last core.Offset) {
	a, b, ok := strings.Cut(text, "..")
	x, err1 := strconv.Atoi(a)
	y, err2 := strconv.Atoi(b)
	require.True(s.t, ok && err1 == nil && err2 == nil, text)
	return core.Offset(x), core.Offset(y)
}

// stored is the batch "0..4e1" or "0..4e1c7"; without a checksum it is that of its epoch.
func (s *script) stored(text string) history.Stored {
	span, rest, ok := strings.Cut(text, "e")
	require.True(s.t, ok, text)
	epoch, crc, marked := strings.Cut(rest, "c")
	e, err := strconv.Atoi(epoch)
	require.NoError(s.t, err, text)
	b := history.Stored{Epoch: core.LeaderEpoch(e), CRC: uint32(e)}
	if marked {
		c, err := strconv.Atoi(crc)
		require.NoError(s.t, err, text)
		b.CRC = uint32(c)
	}
	b.Base, b.Last = s.span(span)
	return b
}

// produced adds the producer that the line names.
func (s *script) produced(b history.Stored) history.Stored {
	if id := s.num("by", -1); id >= 0 {
		b.Produced = history.Produced{By: true, ID: core.ProducerID(id), Epoch: core.ProducerEpoch(s.num("pe", 0)), FirstSeq: -1, LastSeq: -1,
			Transactional: s.flag("txn"), Marker: s.flag("commit") || s.flag("abort"), Commit: s.flag("commit"), Coordinator: int32(s.num("ce", 0))}
		if !b.Produced.Marker {
			b.Produced.FirstSeq = int32(s.num("seq", 0))
			b.Produced.LastSeq = b.Produced.FirstSeq + int32(b.Last-b.Base)
		}
	}
	return b
}

// table is a look at a producer table.
func (s *script) table() history.ProducerLook {
	l := history.ProducerLook{Node: s.node(), Key: s.key(), Changed: true, HighWatermark: core.Offset(s.num("hw", 0)),
		LastStableOffset: core.Offset(s.num("lso", s.num("hw", 0))), LogStartOffset: core.Offset(s.num("start", 0))}
	for _, f := range strings.Fields(s.batch) {
		var v [6]int64
		for i, x := range strings.Split(f, ":") {
			n, err := strconv.ParseInt(x, 10, 64)
			require.NoError(s.t, err, f)
			v[i] = n
		}
		l.Producers = append(l.Producers, history.ProducerState{ID: core.ProducerID(v[0]), Epoch: core.ProducerEpoch(v[1]), LastSeq: int32(v[2]),
			LastOffset: core.Offset(v[3]), Coordinator: int32(v[4]), TxnFirst: core.Offset(v[5])})
	}
	return l
}

func (s *script) run(text string) {
	for _, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		head, batches, _ := strings.Cut(line, "|")
		if s.words = strings.Fields(head); len(s.words) == 0 {
			continue
		}
		s.batch = batches
		s.now += core.Second
		s.step()
	}
}

func (s *script) step() {
	o := s.o
	switch s.words[0] {
	case "up", "down":
		for _, w := range s.words[1:] {
			if n, err := strconv.Atoi(w); err == nil && s.words[0] == "up" {
				o.Up(s.now, core.NodeID(n))
			} else if err == nil {
				o.Down(s.now, core.NodeID(n), s.flag("wiped"))
			}
		}
	case "broker":
		b := history.BrokerState{ID: s.node(), Epoch: core.BrokerEpoch(s.num("epoch", int64(s.node()))), Fenced: s.flag("fenced"),
			InControlledShutdown: s.flag("leaving"), Incarnation: [16]byte{byte(s.num("life", 0))}, Gone: s.flag("gone")}
		o.Broker(s.now, b)
		s.seen()
		if !s.flag("unheard") {
			s.epochs[b.ID] = b.Epoch
			o.Applied(s.now, b.ID, s.image, b.Epoch)
		}
	case "open":
		op := history.Opening{Node: s.node(), Key: s.key(), Start: core.Offset(s.num("start", 0)), End: core.Offset(s.num("end", 0))}
		for _, f := range strings.Fields(s.batch) {
			op.Batches = append(op.Batches, s.stored(f))
		}
		o.LogOpened(s.now, op)
	case "append":
		o.LogChanged(s.now, history.LogEntry{Node: s.node(), Key: s.key(), Kind: history.Appended, Stored: s.produced(s.stored(s.words[2]))})
	case "cut", "restart":
		kind := history.Truncated
		if s.words[0] == "restart" {
			kind = history.Restarted
		}
		o.LogChanged(s.now, history.LogEntry{Node: s.node(), Key: s.key(), Kind: kind, Stored: history.Stored{Base: core.Offset(s.num("at", 0))}})
	case "close":
		o.LogClosed(s.now, s.node(), s.key())
	case "durable":
		o.Durable(s.node(), s.key(), core.Offset(s.num("at", 0)))
	case "applied":
		s.apply[s.node()] = core.Offset(s.num("at", 0))
		o.Applied(s.now, s.node(), core.Offset(s.num("at", 0)), s.epochs[s.node()])
	default:
		s.look()
	}
}

func (s *script) look() {
	o := s.o
	all := []core.NodeID{1, 2, 3}
	switch s.words[0] {
	case "state":
		o.Partition(s.now, history.PartitionState{
			Name: core.TopicPartition{Topic: "t"}, Key: s.key(), Replicas: s.ids("replicas", all...), ISR: s.ids("isr", all...), ELR: s.ids("elr"),
			Adding: s.ids("adding"), Removing: s.ids("removing"), Leader: core.NodeID(s.num("leader", 1)),
			LeaderEpoch: core.LeaderEpoch(s.num("e", 1)), PartitionEpoch: core.PartitionEpoch(s.num("pe", s.num("e", 1))),
			MinISR: int(s.num("min", 1)), Gone: s.flag("gone"),
		})
		s.seen()
	case "look":
		o.Replica(s.now, history.ReplicaLook{Node: s.node(), Key: s.key(), Leader: s.flag("leader"), Epoch: core.LeaderEpoch(s.num("e", 1)),
			ISR: s.ids("isr", all...), MaximalISR: s.ids("max", all...), HWKnown: !s.flag("unknown"), MinISR: int(s.num("min", 1)), Least: int(s.num("least", 1)),
			HighWatermark: core.Offset(s.num("hw", 0)), LogStartOffset: core.Offset(s.num("start", 0))})
	case "voters":
		o.Voters(s.node(), history.VoterSet{Offset: core.Offset(s.num("at", 0)), Epoch: core.LeaderEpoch(s.num("e", 1)), Voters: s.ids("ids", all...)})
	case "accept":
		o.Accepted(s.now, history.Acceptance{Node: s.node(), Key: s.key(), Epoch: core.LeaderEpoch(s.num("e", 1)), Base: core.Offset(s.num("at", 0)),
			ISR: s.ids("isr", all...), Least: int(s.num("least", 1))})
	case "table":
		o.Producers(s.now, s.table())
	case "forgot":
		o.Forgotten(s.now, s.node(), s.key(), core.ProducerID(s.num("by", 0)))
	case "deleted":
		o.Deleted(s.now, s.key(), core.Offset(s.node()))
	case "told":
		o.Told(s.now, s.key(), core.Offset(s.node()), core.Offset(s.num("lso", -1)))
	case "acked":
		o.Acked(s.now, s.key(), core.Offset(s.node()))
	case "quorum":
		v := history.QuorumLook{Node: s.node(), Leads: s.flag("leads"), Current: core.LeaderEpoch(s.num("e", 1)), Epoch: core.LeaderEpoch(s.num("e", 1)), Leader: core.NodeID(s.num("leader", -1)),
			Voted: core.NodeID(s.num("voted", -1)), Directory: [16]byte{byte(s.num("dir", 0))}, Voters: s.ids("voters", all...),
			HighWatermark: core.Offset(s.num("hw", 0)), LogStartOffset: core.Offset(s.num("log", 0)), SnapshotEnd: core.Offset(s.num("snap", 0)), Told: core.Offset(s.num("told", 1<<40))}
		if v.Leads {
			v.Leader = v.Node
		}
		o.Quorum(s.now, v)
	case "cluster":
		s.run("up 1 2 3\nbroker 1\nbroker 2\nbroker 3\nopen 1\nopen 2\nopen 3\nopen 1 meta\nopen 2 meta\nopen 3 meta\nstate\nlook 1 leader")
	default:
		s.t.Fatalf("unknown step %q", s.words)
	}
}

func (s *script) seen() {
	s.image++
	s.o.ImageSeen(s.now, s.image)
}

type oracleCase struct{ name, want, body string }

func readCases(t *testing.T) []oracleCase {
	src, err := os.ReadFile("testdata/cases.txt")
	require.NoError(t, err)
	var cases []oracleCase
	for _, part := range strings.Split("\n"+string(src), "\n=== ")[1:] {
		name, rest, _ := strings.Cut(part, "\n")
		want, body, _ := strings.Cut(rest, "\n")
		want, ok := strings.CutPrefix(want, "want ")
		require.True(t, ok, name)
		cases = append(cases, oracleCase{name, want, body})
	}
	return cases
}

// judge runs a case. Liveness is judged at its end, if its name says so.
func judge(t *testing.T, tc oracleCase) (found []string) {
	s := &script{t: t, o: New(), epochs: map[core.NodeID]core.BrokerEpoch{}, apply: map[core.NodeID]core.Offset{}}
	s.run(tc.body)
	if strings.HasPrefix(tc.name, "L-") {
		require.Empty(t, s.o.Violations(), "the case is unsafe too")
		all := []core.NodeID{1, 2, 3}
		for _, w := range s.o.Waiting(s.now, history.Core{Nodes: all, Brokers: all, Quiet: 3 * core.Second}) {
			found = append(found, w.Property)
		}
		return found
	}
	require.Equal(t, s.o.Broken(), len(s.o.Violations()) > 0)
	for _, v := range s.o.Violations() {
		require.NotEmpty(t, v.Message)
		found = append(found, string(v.Property))
	}
	return found
}

func TestCases(t *testing.T) {
	for _, tc := range readCases(t) {
		t.Run(tc.name, func(t *testing.T) {
			vs := judge(t, tc)
			if tc.want == "nothing" {
				require.Empty(t, vs)
				return
			}
			require.NotEmpty(t, vs)
			for _, v := range vs {
				require.Equal(t, tc.want, v, "%v", vs)
			}
		})
	}
}

// TestEveryPropertyHasCases demands, for each constant, a story that violates it and a near miss that does not.
func TestEveryPropertyHasCases(t *testing.T) {
	bad, good := map[string]bool{}, map[string]bool{}
	for _, tc := range readCases(t) {
		p, _, _ := strings.Cut(tc.name, " ")
		if tc.want == "nothing" {
			good[p] = true
		} else {
			require.Equal(t, p, tc.want, tc.name)
			bad[p] = true
		}
	}
	file, err := parser.ParseFile(token.NewFileSet(), "property.go", nil, 0)
	require.NoError(t, err)
	n := 0
	ast.Inspect(file, func(node ast.Node) bool {
		if spec, ok := node.(*ast.ValueSpec); ok && len(spec.Values) == 1 {
			p, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			require.True(t, bad[p], "%s: no story that must fail", p)
			require.True(t, good[p], "%s: no near miss that must pass", p)
			n++
		}
		return true
	})
	require.Greater(t, n, 20)
}
