//go:build !js

// Package nodes has what klamm tells of the nodes of a cluster and of where replicas are, and reads what it is told about
// them: arguments and results of the commands quorum, reassign, elect and topic describe --under-replicated. It asks nobody.
package nodes

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/cmd/klamm/moves"
	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
)

// PartitionArg is an argument TOPIC or TOPIC:PARTITION,PARTITION. Topics' names have no colons.
type PartitionArg struct {
	Topic      string
	Partitions []int32 // nil is all
}

// PartitionUse describes such arguments in a command's use line.
const PartitionUse = "TOPIC[:PARTITION,...]"

// ParsePartitionArgs reads such arguments.
func ParsePartitionArgs(args []string) ([]PartitionArg, error) {
	out := make([]PartitionArg, 0, len(args))
	for _, text := range args {
		topic, list, some := strings.Cut(text, ":")
		a := PartitionArg{Topic: topic}
		if topic == "" {
			return nil, exit.Errorf(exit.Usage, "%q is not %s", text, PartitionUse)
		}
		for _, p := range strings.Split(list, ",") {
			n, err := strconv.ParseInt(p, 10, 32)
			if some && (err != nil || n < 0) {
				return nil, exit.Errorf(exit.Usage, "%q is not %s", text, PartitionUse)
			}
			if some {
				a.Partitions = append(a.Partitions, int32(n))
			}
		}
		out = append(out, a)
	}
	return out, nil
}

// Plan is a plan that was not carried out; as JSON a file for klamm and, but for from, for Kafka's tool.
type Plan struct {
	Version    int       `json:"version"`
	Partitions []PlanRow `json:"partitions"`
}

// PlanRow is one partition of a plan.
type PlanRow struct {
	Topic     string        `json:"topic"`
	Partition int32         `json:"partition"`
	Replicas  []core.NodeID `json:"replicas"`
	From      []core.NodeID `json:"from"`
}

// NewPlan leaves out what does not change.
func NewPlan(plan moves.Plan) Plan {
	out := Plan{Version: 1, Partitions: []PlanRow{}}
	for _, m := range plan {
		if m.Changes() {
			out.Partitions = append(out.Partitions, PlanRow{Topic: m.Topic, Partition: m.Partition, Replicas: m.To, From: m.From})
		}
	}
	return out
}

// AppendText implements [show.Result].
func (p Plan) AppendText(dst []byte) []byte {
	if len(p.Partitions) == 0 {
		return append(dst, "nothing to do\n"...)
	}
	rows := [][]string{{"PARTITION", "FROM", "TO"}}
	for _, r := range p.Partitions {
		rows = append(rows, []string{fmt.Sprintf("%s-%d", r.Topic, r.Partition), List(r.From), List(r.Replicas)})
	}
	return show.Table(dst, rows...)
}

// Reassignments are the moves in progress.
type Reassignments []ReassignmentRow

// ReassignmentRow is one move.
type ReassignmentRow struct {
	Topic     string        `json:"topic"`
	Partition int32         `json:"partition"`
	Replicas  []core.NodeID `json:"replicas"` // old and new
	Adding    []core.NodeID `json:"adding"`
	Removing  []core.NodeID `json:"removing"`
}

// NewReassignments makes the result of what the controller said.
func NewReassignments(list []kclient.Reassignment) Reassignments {
	out := Reassignments{}
	for _, r := range list {
		out = append(out, ReassignmentRow{Topic: r.Topic, Partition: r.Partition, Replicas: r.Replicas, Adding: r.Adding, Removing: r.Removing})
	}
	return out
}

// AppendText implements [show.Result].
func (l Reassignments) AppendText(dst []byte) []byte {
	if len(l) == 0 {
		return append(dst, "no moves in progress\n"...)
	}
	rows := [][]string{{"PARTITION", "REPLICAS", "ADDING", "REMOVING"}}
	for _, r := range l {
		rows = append(rows, []string{fmt.Sprintf("%s-%d", r.Topic, r.Partition), List(r.Replicas), List(r.Adding), List(r.Removing)})
	}
	return show.Table(dst, rows...)
}

// Cancellations are the changes that end moves in progress: all, or those of the arguments. Partitions that are named by
// number are cancelled whether they move or not, so that the controller says so; of a whole topic, those that move.
func Cancellations(moving []kclient.Reassignment, all bool, args []PartitionArg) []admin.Assignment {
	var list []admin.Assignment
	cancel := func(tp core.TopicPartition) { // once: the controller would find nothing to cancel the second time
		if !slices.ContainsFunc(list, func(a admin.Assignment) bool { return a.TopicPartition == tp }) {
			list = append(list, admin.Assignment{TopicPartition: tp})
		}
	}
	for _, arg := range args {
		for _, p := range arg.Partitions {
			cancel(core.TopicPartition{Topic: arg.Topic, Partition: p})
		}
	}
	for _, m := range moving {
		whole := all
		for _, arg := range args {
			whole = whole || arg.Topic == m.Topic && arg.Partitions == nil
		}
		if whole {
			cancel(m.TopicPartition)
		}
	}
	return list
}

// NewOutcomes makes the result of a request of which each partition has its own outcome. done is the word for success. A code
// among the harmless ones is no failure, but a word. failed is the first failure, nil if there is none.
func NewOutcomes(rows []kclient.Outcome, done string, harmless map[core.ErrorCode]string) (list Outcomes, failed error) {
	list = Outcomes{}
	for _, o := range rows {
		row := Outcome{Topic: o.Topic, Partition: o.Partition, Done: done}
		var code core.ErrorCode
		if errors.As(o.Err, &code) {
			if row.Done = harmless[code]; row.Done == "" {
				row.Done, row.Error = "failed", o.Err.Error()
			}
		}
		if row.Error != "" && failed == nil {
			failed = o.Err
		}
		list = append(list, row)
	}
	return list, failed
}

// Outcomes is what became of the partitions of a request.
type Outcomes []Outcome

// Outcome is one of them.
type Outcome struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Done      string `json:"done"` // a word
	Error     string `json:"error,omitempty"`
}

// AppendText implements [show.Result].
func (l Outcomes) AppendText(dst []byte) []byte {
	if len(l) == 0 {
		return append(dst, "nothing to do\n"...)
	}
	var rows [][]string
	for _, r := range l {
		row := []string{fmt.Sprintf("%s-%d", r.Topic, r.Partition), r.Done}
		if r.Error != "" {
			row = append(row, r.Error)
		}
		rows = append(rows, row)
	}
	return show.Table(dst, rows...)
}

// UnderReplicated are partitions that have fewer replicas in sync than they should have.
type UnderReplicated []UnderReplicatedRow

// UnderReplicatedRow is one of them.
type UnderReplicatedRow struct {
	Topic       string        `json:"topic"`
	Partition   int32         `json:"partition"`
	Leader      core.NodeID   `json:"leader"` // -1 if there is none
	LeaderEpoch int32         `json:"leader_epoch"`
	Replicas    []core.NodeID `json:"replicas"`
	ISR         []core.NodeID `json:"isr"`
	ELR         []core.NodeID `json:"elr"`     // null if the broker does not tell
	Missing     []core.NodeID `json:"missing"` // replicas that are not in sync
}

// NewUnderReplicated picks the partitions. As in Kafka's tools, replicas that a reassignment is adding are not missed yet:
// a partition that moves is as healthy as it was.
func NewUnderReplicated(topics []kclient.Topic, moving []kclient.Reassignment) UnderReplicated {
	adding := make(map[core.TopicPartition][]core.NodeID)
	for _, r := range moving {
		adding[r.TopicPartition] = r.Adding
	}
	out := UnderReplicated{}
	for _, t := range topics {
		for _, p := range t.Partitions {
			extra := adding[core.TopicPartition{Topic: t.Name, Partition: p.Index}]
			var missing []core.NodeID
			for _, id := range p.Replicas {
				if !slices.Contains(p.ISR, id) && !slices.Contains(extra, id) {
					missing = append(missing, id)
				}
			}
			if len(p.ISR) < len(p.Replicas)-len(extra) {
				out = append(out, UnderReplicatedRow{
					Topic: t.Name, Partition: p.Index, Leader: p.Leader, LeaderEpoch: int32(p.LeaderEpoch),
					Replicas: p.Replicas, ISR: p.ISR, ELR: p.ELR, Missing: missing,
				})
			}
		}
	}
	return out
}

// AppendText implements [show.Result].
func (l UnderReplicated) AppendText(dst []byte) []byte {
	if len(l) == 0 {
		return append(dst, "all replicas are in sync\n"...)
	}
	rows := [][]string{{"PARTITION", "LEADER", "EPOCH", "REPLICAS", "ISR", "ELR", "MISSING"}}
	for _, r := range l {
		leader := fmt.Sprint(r.Leader)
		if r.Leader == core.NoNode {
			leader = "none"
		}
		rows = append(rows, []string{
			fmt.Sprintf("%s-%d", r.Topic, r.Partition), leader, fmt.Sprint(r.LeaderEpoch), List(r.Replicas), List(r.ISR),
			List(r.ELR), List(r.Missing),
		})
	}
	return show.Table(dst, rows...)
}

// List is the ids, separated by commas.
func List(ids []core.NodeID) string {
	parts := make([]string, 0, len(ids))
	for _, id := range ids {
		parts = append(parts, fmt.Sprint(id))
	}
	return strings.Join(parts, ",")
}
