//go:build !js

package groups

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/klamm-log/klamm/core"
)

// Listing is what klamm group list tells, by group.
type Listing []ListingRow

// ListingRow is one group.
type ListingRow struct {
	Group       string      `json:"group"`
	State       string      `json:"state"`
	Type        string      `json:"type"`
	Protocol    string      `json:"protocol"` // empty for a group that only commits
	Coordinator core.NodeID `json:"coordinator"`
}

func newListing(all []kclient.Group) Listing {
	out := Listing{}
	for _, g := range all {
		out = append(out, ListingRow{Group: g.ID, State: g.State, Type: g.Type, Protocol: g.ProtocolType, Coordinator: g.Coordinator})
	}
	return out
}

// AppendText implements [show.Result].
func (l Listing) AppendText(dst []byte) []byte {
	rows := [][]string{{"GROUP", "STATE", "TYPE", "COORDINATOR"}}
	for _, g := range l {
		rows = append(rows, []string{g.Group, g.State, g.Type, fmt.Sprint(g.Coordinator)})
	}
	return show.Table(dst, rows...)
}

// Descriptions is what klamm group describe tells, in the order asked.
type Descriptions []Description

// Description is one group.
type Description struct {
	Group       string         `json:"group"`
	State       string         `json:"state"`
	Type        string         `json:"type"`
	Assignor    string         `json:"assignor"`
	Epoch       int32          `json:"epoch"` // of a KIP-848 group; -1 otherwise
	Coordinator core.NodeID    `json:"coordinator"`
	Lag         int64          `json:"lag"` // of all partitions that tell
	Members     []MemberRow    `json:"members"`
	Partitions  []PartitionRow `json:"partitions"`
}

// MemberRow is one member.
type MemberRow struct {
	Member     string `json:"member"`
	Instance   string `json:"instance,omitempty"`
	Client     string `json:"client"`
	Host       string `json:"host"`
	Epoch      int32  `json:"epoch"` // of a KIP-848 member; -1 otherwise
	Partitions int    `json:"partitions"`
}

// PartitionRow is where the group is in one partition.
type PartitionRow struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Committed int64  `json:"committed"` // -1 if nothing was
	End       int64  `json:"end"`       // the high watermark, -1 if unknown
	Lag       int64  `json:"lag"`       // -1 if either is unknown
	Metadata  string `json:"metadata,omitempty"`
	Member    string `json:"member,omitempty"` // who has it
}

func newDescription(g kclient.GroupDetails, offsets []kclient.GroupOffset, ends map[core.TopicPartition]core.Offset) Description {
	d := Description{
		Group: g.ID, State: g.State, Type: g.Type, Assignor: g.Assignor, Epoch: g.Epoch, Coordinator: g.Coordinator,
		Members: []MemberRow{}, Partitions: []PartitionRow{},
	}
	owner := make(map[core.TopicPartition]string)
	for _, m := range g.Members {
		d.Members = append(d.Members, MemberRow{Member: m.ID, Instance: m.InstanceID, Client: m.ClientID, Host: m.Host, Epoch: m.Epoch, Partitions: len(m.Assigned)})
		for _, tp := range m.Assigned {
			owner[tp] = m.ID
		}
	}
	for _, tp := range partitionsOf(g, offsets) {
		row := PartitionRow{Topic: tp.Topic, Partition: tp.Partition, Committed: -1, End: int64(ends[tp]), Lag: -1, Member: owner[tp]}
		if at := slices.IndexFunc(offsets, func(o kclient.GroupOffset) bool { return o.TopicPartition == tp }); at >= 0 {
			row.Committed, row.Metadata = int64(offsets[at].Offset), offsets[at].Metadata
		}
		if row.Committed >= 0 && row.End >= 0 {
			row.Lag = max(0, row.End-row.Committed)
			d.Lag += row.Lag
		}
		d.Partitions = append(d.Partitions, row)
	}
	return d
}

// AppendText implements [show.Result].
func (l Descriptions) AppendText(dst []byte) []byte {
	for i := range l {
		if i > 0 {
			dst = append(dst, '\n')
		}
		dst = l[i].appendText(dst)
	}
	return dst
}

func (d *Description) appendText(dst []byte) []byte {
	dst = fmt.Appendf(dst, "group %s, %s, %s", d.Group, d.State, d.Type)
	if d.Assignor != "" {
		dst = fmt.Appendf(dst, ", %s", d.Assignor)
	}
	dst = fmt.Appendf(dst, ", coordinator %d, %d members, lag %s\n", d.Coordinator, len(d.Members), show.Count(d.Lag))
	if len(d.Members) > 0 {
		rows := [][]string{{"MEMBER", "CLIENT", "HOST", "PARTITIONS"}}
		for _, m := range d.Members {
			name := m.Member
			if m.Instance != "" {
				name += " (" + m.Instance + ")"
			}
			rows = append(rows, []string{name, m.Client, m.Host, fmt.Sprint(m.Partitions)})
		}
		dst = show.Table(dst, rows...)
	}
	rows := [][]string{{"TOPIC", "PARTITION", "COMMITTED", "END", "LAG", "MEMBER"}}
	for _, p := range d.Partitions {
		rows = append(rows, []string{p.Topic, fmt.Sprint(p.Partition), known(p.Committed), known(p.End), known(p.Lag), p.Member})
	}
	return show.Table(dst, rows...)
}

// known is a number, or a dash where there is none.
func known(n int64) string {
	if n < 0 {
		return "-"
	}
	return strconv.FormatInt(n, 10)
}

// Reset is what klamm group reset-offsets did or, with DryRun, would have done.
type Reset struct {
	Group   string     `json:"group"`
	DryRun  bool       `json:"dry_run"`
	Offsets []ResetRow `json:"offsets"`
}

// ResetRow is one partition.
type ResetRow struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	From      int64  `json:"from"` // -1 if nothing was committed
	To        int64  `json:"to"`
}

// AppendText implements [show.Result].
func (r Reset) AppendText(dst []byte) []byte {
	verb := "moved"
	if r.DryRun {
		verb = "would be moved"
	}
	dst = fmt.Appendf(dst, "group %s %s\n", r.Group, verb)
	rows := [][]string{{"TOPIC", "PARTITION", "FROM", "TO"}}
	for _, o := range r.Offsets {
		rows = append(rows, []string{o.Topic, fmt.Sprint(o.Partition), known(o.From), fmt.Sprint(o.To)})
	}
	return show.Table(dst, rows...)
}

// Deleted tells of one group that was deleted or, with DryRun, could be.
type Deleted struct {
	Group  string `json:"group"`
	DryRun bool   `json:"dry_run"`
}

// AppendText implements [show.Result].
func (d Deleted) AppendText(dst []byte) []byte {
	if d.DryRun {
		return fmt.Appendf(dst, "group %s would be deleted\n", d.Group)
	}
	return fmt.Appendf(dst, "group %s deleted\n", d.Group)
}
