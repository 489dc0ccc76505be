// Package moves plans where replicas are to be: it reads and writes Kafka's reassignment files, and spreads partitions over
// given brokers with as few moves as it can. It is pure; cmd/klamm asks the cluster and sends the plan.
package moves

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/klamm-log/klamm/core"
)

// Plan says where the replicas of partitions are to be, in the order of the partitions.
type Plan []Move

// Move is one partition of a plan.
type Move struct {
	core.TopicPartition
	From []core.NodeID // where they are; nil if that was not asked
	To   []core.NodeID // where they are to be; the first is the preferred leader
}

// Changes reports whether the move does anything. The order counts: it names the preferred leader.
func (m Move) Changes() bool { return !slices.Equal(m.From, m.To) }

// file is Kafka's kafka-reassign-partitions JSON. Fields of no use here are read over, unknown ones refused.
type file struct {
	Version    *int      `json:"version"` // 1 if it is missing, as in Kafka's tool
	Partitions []fileRow `json:"partitions"`
}

type fileRow struct {
	Topic     string        `json:"topic"`
	Partition *int32        `json:"partition"`
	Replicas  []core.NodeID `json:"replicas"`
	LogDirs   []string      `json:"log_dirs"`
	From      []core.NodeID `json:"from"` // what klamm reassign alter --dry-run -o json adds
}

// Parse reads a plan in the format of kafka-reassign-partitions:
//
//	{"version":1, "partitions":[{"topic":"t", "partition":0, "replicas":[1,2], "log_dirs":["any","any"]}]}
//
// Log directories other than "any" are refused: a broker has one.
func Parse(src []byte) (Plan, error) {
	d := json.NewDecoder(bytes.NewReader(src))
	d.DisallowUnknownFields()
	var f file
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("no plan of reassignments: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("no plan of reassignments: there is something behind it")
	}
	if f.Version != nil && *f.Version != 1 {
		return nil, fmt.Errorf("version %d of reassignment files is unknown", *f.Version)
	}
	if len(f.Partitions) == 0 {
		return nil, errors.New("the plan names no partition")
	}
	plan := make(Plan, 0, len(f.Partitions))
	for i := range f.Partitions {
		m, err := f.Partitions[i].move()
		if err != nil {
			return nil, fmt.Errorf("partition %d of the plan: %w", i+1, err)
		}
		plan = append(plan, m)
	}
	return plan, plan.check()
}

func (r *fileRow) move() (Move, error) {
	switch {
	case r.Topic == "":
		return Move{}, errors.New("there is no topic")
	case r.Partition == nil || *r.Partition < 0:
		return Move{}, errors.New("there is no partition")
	case len(r.LogDirs) > 0 && len(r.LogDirs) != len(r.Replicas):
		return Move{}, fmt.Errorf("%d log directories for %d replicas", len(r.LogDirs), len(r.Replicas))
	}
	for _, dir := range r.LogDirs {
		if dir != "any" {
			return Move{}, fmt.Errorf("log directory %q cannot be chosen", dir)
		}
	}
	return Move{TopicPartition: core.TopicPartition{Topic: r.Topic, Partition: *r.Partition}, From: r.From, To: r.Replicas}, nil
}

// check sorts the plan and refuses what no cluster could do.
func (p Plan) check() error {
	slices.SortStableFunc(p, func(a, b Move) int { return a.Compare(b.TopicPartition) })
	for i, m := range p {
		if i > 0 && p[i-1].TopicPartition == m.TopicPartition {
			return fmt.Errorf("%s comes twice in the plan", m.TopicPartition)
		}
		if len(m.To) == 0 {
			return fmt.Errorf("%s has no replicas in the plan", m.TopicPartition)
		}
		for j, id := range m.To {
			if id < 0 || slices.Contains(m.To[:j], id) {
				return fmt.Errorf("%s cannot have the replicas %v", m.TopicPartition, m.To)
			}
		}
	}
	return nil
}

// Current is one partition as it is.
type Current struct {
	core.TopicPartition
	Replicas []core.NodeID
}

// Spread plans to have the given partitions on the given brokers, each with as many replicas as it has, or with replication
// of them if that is not 0. Replicas that are on one of the brokers stay. Others go to the broker that has the fewest of
// these partitions, and the preferred leaders are shared out likewise. Racks are not looked at.
func Spread(partitions []Current, brokers []core.NodeID, replication int) (Plan, error) {
	for i, id := range brokers {
		if id < 0 || slices.Contains(brokers[:i], id) {
			return nil, fmt.Errorf("brokers %v: each comes once", brokers)
		}
	}
	s := spreader{brokers: slices.Sorted(slices.Values(brokers)), replicas: make(map[core.NodeID]int), leaders: make(map[core.NodeID]int)}
	plan := make(Plan, 0, len(partitions))
	for _, c := range partitions {
		want := replication
		if want == 0 {
			want = len(c.Replicas)
		}
		if want < 1 || want > len(brokers) {
			return nil, fmt.Errorf("%s: %d replicas on %d brokers", c.TopicPartition, want, len(brokers))
		}
		plan = append(plan, Move{TopicPartition: c.TopicPartition, From: c.Replicas, To: s.stay(c.Replicas, want)})
	}
	slices.SortFunc(plan, func(a, b Move) int { return a.Compare(b.TopicPartition) })
	for i := range plan { // what stays is counted before anything is placed
		s.fill(&plan[i], replication)
	}
	s.lead(plan)
	return plan, plan.check()
}

// spreader counts what each broker gets.
type spreader struct {
	brokers           []core.NodeID // by id
	replicas, leaders map[core.NodeID]int
}

// stay are the replicas that need not move, in their order.
func (s *spreader) stay(replicas []core.NodeID, want int) []core.NodeID {
	out := make([]core.NodeID, 0, want)
	for _, id := range replicas {
		if len(out) < want && slices.Contains(s.brokers, id) {
			out = append(out, id)
			s.replicas[id]++
		}
	}
	return out
}

// fill adds replicas until there are enough.
func (s *spreader) fill(m *Move, replication int) {
	want := replication
	if want == 0 {
		want = len(m.From)
	}
	for len(m.To) < want {
		best := core.NoNode
		for _, id := range s.brokers {
			if !slices.Contains(m.To, id) && (best == core.NoNode || s.replicas[id] < s.replicas[best]) {
				best = id
			}
		}
		m.To = append(m.To, best)
		s.replicas[best]++
	}
}

// lead puts the preferred leaders first. Leaders that stay keep their place up to an even share, since a change of leaders
// is not for free; the other partitions are led by whichever of their replicas leads the fewest.
func (s *spreader) lead(plan Plan) {
	share := (len(plan) + len(s.brokers) - 1) / len(s.brokers)
	var rest []*Move
	for i := range plan {
		m := &plan[i]
		if first := m.To[0]; len(m.From) > 0 && first == m.From[0] && s.leaders[first] < share {
			s.leaders[first]++
		} else {
			rest = append(rest, m)
		}
	}
	for _, m := range rest {
		best := 0
		for i, id := range m.To {
			if s.leaders[id] < s.leaders[m.To[best]] {
				best = i
			}
		}
		chosen := m.To[best]
		m.To = slices.Insert(slices.Delete(m.To, best, best+1), 0, chosen)
		s.leaders[chosen]++
	}
}
