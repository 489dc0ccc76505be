//go:build !js

package main

import (
	"fmt"

	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/cmd/klamm/nodes"
	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
)

// topicDone tells what was done to a topic.
type topicDone struct {
	Topic string `json:"topic"`
	ID    string `json:"id,omitempty"`
	Done  string `json:"done"`
}

// AppendText implements [show.Result].
func (r topicDone) AppendText(dst []byte) []byte {
	if r.ID != "" {
		return fmt.Appendf(dst, "topic %s %s, id %s\n", r.Topic, r.Done, r.ID)
	}
	return fmt.Appendf(dst, "topic %s %s\n", r.Topic, r.Done)
}

// topicList is all topics, by name.
type topicList []topicRow

type topicRow struct {
	Name        string `json:"name"`
	ID          string `json:"id,omitempty"`
	Partitions  int    `json:"partitions"`
	Replication int    `json:"replication"` // of partition 0
	Internal    bool   `json:"internal,omitempty"`
	Error       string `json:"error,omitempty"`
}

func topicListOf(cl kclient.Cluster) topicList {
	out := topicList{}
	for _, t := range cl.Topics {
		row := topicRow{Name: t.Name, ID: idText(t.ID), Partitions: len(t.Partitions), Internal: t.Internal}
		if len(t.Partitions) > 0 {
			row.Replication = len(t.Partitions[0].Replicas)
		}
		if t.Err != core.ErrNone {
			row.Error = t.Err.String()
		}
		out = append(out, row)
	}
	return out
}

func idText(id core.TopicID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}

// AppendText implements [show.Result].
func (l topicList) AppendText(dst []byte) []byte {
	rows := [][]string{{"TOPIC", "PARTITIONS", "REPLICATION", "ID"}}
	for _, t := range l {
		id := t.ID
		if t.Error != "" {
			id = t.Error
		}
		rows = append(rows, []string{t.Name, fmt.Sprint(t.Partitions), fmt.Sprint(t.Replication), id})
	}
	return show.Table(dst, rows...)
}

// topicDescriptions is what klamm topic describe tells, in the order asked.
type topicDescriptions []topicDescription

type topicDescription struct {
	Name       string         `json:"name"`
	ID         string         `json:"id,omitempty"`
	Internal   bool           `json:"internal,omitempty"`
	Records    int64          `json:"offsets"` // between start and end of all partitions
	Configs    []topicConfig  `json:"configs"`
	Partitions []topicSection `json:"partitions"`
}

type topicConfig struct {
	Name     string  `json:"name"`
	Value    *string `json:"value"` // null if secret or not set
	Override bool    `json:"override"`
}

type topicSection struct {
	Partition   int32         `json:"partition"`
	Leader      core.NodeID   `json:"leader"` // -1 if there is none
	LeaderEpoch int32         `json:"leader_epoch"`
	Replicas    []core.NodeID `json:"replicas"`
	ISR         []core.NodeID `json:"isr"`
	ELR         []core.NodeID `json:"elr"` // eligible leader replicas; null if the broker does not tell
	Offline     []core.NodeID `json:"offline,omitempty"`
	Start       int64         `json:"start"` // -1 if unknown
	End         int64         `json:"end"`   // the high watermark, -1 if unknown
	Error       string        `json:"error,omitempty"`
}

func newTopicDescription(t kclient.Topic, first, last []admin.PartitionOffset, configs []kclient.Config, all bool) topicDescription {
	d := topicDescription{Name: t.Name, ID: idText(t.ID), Internal: t.Internal, Configs: []topicConfig{}}
	for _, c := range configs {
		if !c.Override && !all {
			continue
		}
		row := topicConfig{Name: c.Name, Override: c.Override}
		if c.HasValue {
			row.Value = &c.Value
		}
		d.Configs = append(d.Configs, row)
	}
	for i, p := range t.Partitions {
		row := topicSection{
			Partition: p.Index, Leader: p.Leader, LeaderEpoch: int32(p.LeaderEpoch), Replicas: p.Replicas, ISR: p.ISR,
			ELR: p.ELR, Offline: p.Offline, Start: int64(first[i].Offset), End: int64(last[i].Offset),
		}
		for _, err := range []core.ErrorCode{p.Err, first[i].Err, last[i].Err} {
			if err != core.ErrNone && row.Error == "" {
				row.Error = err.String()
			}
		}
		if row.Start >= 0 && row.End >= 0 {
			d.Records += row.End - row.Start
		}
		d.Partitions = append(d.Partitions, row)
	}
	return d
}

// AppendText implements [show.Result].
func (l topicDescriptions) AppendText(dst []byte) []byte {
	for i, d := range l {
		if i > 0 {
			dst = append(dst, '\n')
		}
		dst = d.appendText(dst)
	}
	return dst
}

func (d *topicDescription) appendText(dst []byte) []byte {
	dst = fmt.Appendf(dst, "topic %s, %d partitions, %s offsets", d.Name, len(d.Partitions), show.Count(d.Records))
	if d.ID != "" {
		dst = fmt.Appendf(dst, ", id %s", d.ID)
	}
	dst = append(dst, '\n')
	var configs [][]string
	for _, c := range d.Configs {
		value := "(no value)"
		if c.Value != nil {
			value = *c.Value
		}
		configs = append(configs, []string{"  " + c.Name, value})
	}
	dst = show.Table(dst, configs...)
	rows := [][]string{{"PARTITION", "LEADER", "EPOCH", "REPLICAS", "ISR", "ELR", "START", "END"}}
	for _, p := range d.Partitions {
		row := []string{
			fmt.Sprint(p.Partition), fmt.Sprint(p.Leader), fmt.Sprint(p.LeaderEpoch), nodes.List(p.Replicas), nodes.List(p.ISR),
			nodes.List(p.ELR), fmt.Sprint(p.Start), fmt.Sprint(p.End),
		}
		if p.Error != "" {
			row = append(row, p.Error)
		}
		rows = append(rows, row)
	}
	return show.Table(dst, rows...)
}
