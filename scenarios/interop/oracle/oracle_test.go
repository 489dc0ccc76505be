package oracle_test

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"testing"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/apache"
	"github.com/klamm-log/klamm/scenarios/interop/harness"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// side is one of the two brokers, with what it handed out.
type side struct {
	t        *testing.T
	name     string
	addr     string
	conn     *harness.Conn
	ids      map[string][16]byte // topic ids by name
	producer int64
	session  int32
}

// id is the topic id that this broker gave a topic.
func (s *side) id(topic string) [16]byte { return s.ids[topic] }

// idName replaces a topic id by its topic's name.
func (s *side) idName(v reflect.Value) string {
	id := v.Interface().([16]byte)
	for name, known := range s.ids {
		if known == id {
			return "id of " + name
		}
	}
	if id == ([16]byte{}) {
		return "no id"
	}
	if id[0] == 0xee { // made up by a step
		return fmt.Sprintf("%x", id)
	}
	return "some id"
}

// coordinatorLoading is the error of a broker that is not ready to answer this.
const coordinatorLoading = 14

// ask sends a request on the side's connection. A closed connection is an answer too.
func (s *side) ask(r kmsg.Request) map[string]string {
	s.t.Helper()
	answer, err := s.conn.Ask(r)
	for range 100 { // Kafka has no producer ids until its first block of them is allocated
		initialised, is := answer.(*kmsg.InitProducerIDResponse)
		if !is || initialised.ErrorCode != coordinatorLoading {
			break
		}
		<-time.After(100 * time.Millisecond)
		answer, err = s.conn.Ask(r)
	}
	switch {
	case errors.Is(err, io.EOF):
		_ = s.conn.Close() // it is
		s.conn = harness.Dial(s.t, s.addr)
		return map[string]string{"connection": "closed"}
	case err != nil:
		_ = s.conn.Close() // of no use after a timeout
		s.conn = harness.Dial(s.t, s.addr)
		return map[string]string{"connection": "no answer"}
	}
	s.learn(answer)
	return flatten(s, answer)
}

// learn remembers what later steps refer to.
func (s *side) learn(answer kmsg.Response) {
	switch r := answer.(type) {
	case *kmsg.MetadataResponse:
		for _, t := range r.Topics {
			if t.Topic != nil && t.TopicID != ([16]byte{}) {
				s.ids[*t.Topic] = t.TopicID
			}
		}
	case *kmsg.CreateTopicsResponse:
		for _, t := range r.Topics {
			if t.ErrorCode == 0 && t.TopicID != ([16]byte{}) {
				s.ids[t.Topic] = t.TopicID
			}
		}
	case *kmsg.InitProducerIDResponse:
		s.producer, r.ProducerID = r.ProducerID, min(r.ProducerID, 0)
	case *kmsg.FetchResponse:
		if r.SessionID != 0 {
			s.session, r.SessionID = r.SessionID, 1
		}
	}
}

// step is one request to both brokers.
type step struct {
	name string
	make func(s *side) kmsg.Request
	// versions to ask in; none means the newest that kmsg has
	from, to int16
}

func TestAgainstKafka(t *testing.T) {
	classpath := apache.Classpath(t, apache.Broker())
	kafka := &side{t: t, name: "Kafka", ids: map[string][16]byte{}}
	kafka.addr = apache.StartBroker(t, classpath, "auto.create.topics.enable=false")
	klamm := &side{t: t, name: "Klamm", ids: map[string][16]byte{}}
	klamm.addr = harness.Start(t, harness.Options{Set: []string{"auto.create.topics.enable=false"}}).Addr
	kafka.conn, klamm.conn = harness.Dial(t, kafka.addr), harness.Dial(t, klamm.addr)

	judge := newJudge()
	for _, group := range [][]step{
		topicSteps(), metadataSteps(), configSteps(), produceSteps(), offsetSteps(), fetchSteps(), deleteSteps(), clusterSteps(),
	} {
		for _, s := range group {
			s.run(judge, kafka, klamm)
		}
	}
	judge.report(t)
}

// slow is an answer that is worth a word.
const slow = 2 * time.Second

func (s step) run(judge *judge, kafka, klamm *side) {
	from, to := s.from, s.to
	if to == 0 {
		from = s.make(kafka).MaxVersion()
		to = from
	}
	for version := from; version <= to; version++ {
		ask := func(b *side) map[string]string {
			r := s.make(b)
			r.SetVersion(version)
			begin := time.Now()
			defer func() {
				if took := time.Since(begin); took > slow {
					b.t.Logf("%s took %v for %s v%d %s", b.name, took, kmsg.NameForKey(r.Key()), version, s.name)
				}
			}()
			return b.ask(r)
		}
		name := fmt.Sprintf("%s v%d %s", kmsg.NameForKey(s.make(kafka).Key()), version, s.name)
		judge.hear(compare(name, ask(kafka), ask(klamm)))
		judge.answers++
	}
}

// judge sorts differences into permitted ones and others.
type judge struct {
	permits  []permit
	used     []int
	examples []difference // the first that each permit served
	patterns [][2]*regexp.Regexp
	others   []difference
	answers  int
}

func newJudge() *judge {
	j := &judge{permits: permitted()}
	j.used, j.examples = make([]int, len(j.permits)), make([]difference, len(j.permits))
	for _, p := range j.permits {
		j.patterns = append(j.patterns, [2]*regexp.Regexp{regexp.MustCompile("^(?:" + p.step + ")"), regexp.MustCompile("^(?:" + p.path + ")$")})
	}
	return j
}

func (j *judge) hear(found []difference) {
next:
	for _, d := range found {
		for i, p := range j.permits {
			if j.patterns[i][0].MatchString(d.step) && j.patterns[i][1].MatchString(d.path) && (p.when == nil || p.when(d)) {
				if j.used[i]++; j.used[i] == 1 {
					j.examples[i] = d
				}
				continue next
			}
		}
		j.others = append(j.others, d)
	}
}

func (j *judge) report(t *testing.T) {
	t.Logf("%d answers compared", j.answers)
	for i, p := range j.permits {
		t.Logf("permitted, %d fields: %s; for instance %s", j.used[i], p.why, j.examples[i])
		if j.used[i] == 0 {
			t.Errorf("no difference needs the permit for %s %s", p.step, p.path)
		}
	}
	for _, d := range j.others {
		t.Error(d)
	}
}
