//go:build !js

package txns

import (
	"fmt"
	"strings"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/klamm-log/klamm/core"
)

// Listing is what klamm txn list tells, by id.
type Listing []ListingRow

// ListingRow is one transactional id.
type ListingRow struct {
	TransactionalID string      `json:"transactional_id"`
	State           string      `json:"state"`
	ProducerID      int64       `json:"producer_id"`
	Coordinator     core.NodeID `json:"coordinator"`
}

func newListing(all []kclient.Transaction) Listing {
	out := Listing{}
	for _, t := range all {
		out = append(out, ListingRow{TransactionalID: t.ID, State: t.State, ProducerID: int64(t.ProducerID), Coordinator: t.Coordinator})
	}
	return out
}

// AppendText implements [show.Result].
func (l Listing) AppendText(dst []byte) []byte {
	rows := [][]string{{"TRANSACTIONAL-ID", "STATE", "PRODUCER", "COORDINATOR"}}
	for _, t := range l {
		rows = append(rows, []string{t.TransactionalID, t.State, fmt.Sprint(t.ProducerID), fmt.Sprint(t.Coordinator)})
	}
	return show.Table(dst, rows...)
}

// Descriptions is what klamm txn describe tells, in the order asked.
type Descriptions []Description

// Description is one transactional id.
type Description struct {
	TransactionalID string      `json:"transactional_id"`
	State           string      `json:"state"`
	ProducerID      int64       `json:"producer_id"`
	ProducerEpoch   int16       `json:"producer_epoch"`
	Coordinator     core.NodeID `json:"coordinator"`
	TimeoutMs       int32       `json:"timeout_ms"`
	StartMs         int64       `json:"start_ms"` // -1 if nothing is open
	Partitions      []string    `json:"partitions"`
}

func newDescription(d kclient.TransactionDetails) Description {
	out := Description{TransactionalID: d.ID, State: d.State, ProducerID: int64(d.ProducerID), ProducerEpoch: int16(d.Epoch),
		Coordinator: d.Coordinator, TimeoutMs: d.TimeoutMs, StartMs: int64(d.Start), Partitions: []string{}}
	for _, tp := range d.Partitions {
		out.Partitions = append(out.Partitions, tp.String())
	}
	return out
}

// AppendText implements [show.Result].
func (l Descriptions) AppendText(dst []byte) []byte {
	rows := [][]string{{"TRANSACTIONAL-ID", "STATE", "PRODUCER", "EPOCH", "COORDINATOR", "TIMEOUT", "BEGUN", "PARTITIONS"}}
	for _, d := range l {
		begun := "-"
		if d.StartMs >= 0 {
			begun = time.UnixMilli(d.StartMs).UTC().Format(time.RFC3339)
		}
		partitions := "-"
		if len(d.Partitions) > 0 {
			partitions = strings.Join(d.Partitions, " ")
		}
		rows = append(rows, []string{d.TransactionalID, d.State, fmt.Sprint(d.ProducerID), fmt.Sprint(d.ProducerEpoch), fmt.Sprint(d.Coordinator),
			fmt.Sprintf("%d ms", d.TimeoutMs), begun, partitions})
	}
	return show.Table(dst, rows...)
}

// ProducerRows is what klamm txn producers tells, by producer id.
type ProducerRows []ProducerRow

// ProducerRow is one producer of a partition.
type ProducerRow struct {
	ProducerID       int64 `json:"producer_id"`
	ProducerEpoch    int16 `json:"producer_epoch"`
	LastSequence     int32 `json:"last_sequence"`
	LastTimestamp    int64 `json:"last_timestamp"`
	CoordinatorEpoch int32 `json:"coordinator_epoch"`
	TxnStart         int64 `json:"transaction_start_offset"` // -1 if nothing is open
}

func newProducerRows(list []kclient.ActiveProducer) ProducerRows {
	out := ProducerRows{}
	for _, p := range list {
		out = append(out, ProducerRow{ProducerID: int64(p.ID), ProducerEpoch: int16(p.Epoch), LastSequence: p.LastSequence,
			LastTimestamp: int64(p.LastTimestamp), CoordinatorEpoch: p.CoordinatorEpoch, TxnStart: int64(p.TxnStart)})
	}
	return out
}

// AppendText implements [show.Result].
func (l ProducerRows) AppendText(dst []byte) []byte {
	rows := [][]string{{"PRODUCER", "EPOCH", "LAST-SEQUENCE", "LAST-TIMESTAMP", "COORDINATOR-EPOCH", "TRANSACTION-FROM"}}
	for _, p := range l {
		start := "-"
		if p.TxnStart >= 0 {
			start = fmt.Sprint(p.TxnStart)
		}
		rows = append(rows, []string{fmt.Sprint(p.ProducerID), fmt.Sprint(p.ProducerEpoch), fmt.Sprint(p.LastSequence), fmt.Sprint(p.LastTimestamp),
			fmt.Sprint(p.CoordinatorEpoch), start})
	}
	return show.Table(dst, rows...)
}

// Aborted is what klamm txn abort has done.
type Aborted struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Producer  int64  `json:"producer_id"`
	Epoch     int16  `json:"producer_epoch"`
	Start     int64  `json:"start_offset"` // -1 if it was not asked for
	DryRun    bool   `json:"dry_run,omitempty"`
}

// AppendText implements [show.Result].
func (r Aborted) AppendText(dst []byte) []byte {
	what := "aborted"
	if r.DryRun {
		what = "would abort"
	}
	return fmt.Appendf(dst, "%s the transaction of producer %d, epoch %d, in %s-%d\n", what, r.Producer, r.Epoch, r.Topic, r.Partition)
}

// Hangings is what klamm txn find-hanging has found.
type Hangings []Hanging

// Hanging is a transaction that nobody will end.
type Hanging struct {
	Topic            string `json:"topic"`
	Partition        int32  `json:"partition"`
	ProducerID       int64  `json:"producer_id"`
	ProducerEpoch    int16  `json:"producer_epoch"`
	CoordinatorEpoch int32  `json:"coordinator_epoch"`
	StartOffset      int64  `json:"start_offset"`
	LastTimestamp    int64  `json:"last_timestamp"`
	AgeSeconds       int64  `json:"age_s"`
}

func newHanging(tp core.TopicPartition, p kclient.ActiveProducer, age time.Duration) Hanging {
	return Hanging{Topic: tp.Topic, Partition: tp.Partition, ProducerID: int64(p.ID), ProducerEpoch: int16(p.Epoch), CoordinatorEpoch: p.CoordinatorEpoch,
		StartOffset: int64(p.TxnStart), LastTimestamp: int64(p.LastTimestamp), AgeSeconds: int64(age / time.Second)}
}

// AppendText implements [show.Result].
func (l Hangings) AppendText(dst []byte) []byte {
	rows := [][]string{{"TOPIC", "PARTITION", "PRODUCER", "EPOCH", "COORDINATOR-EPOCH", "FROM", "AGE"}}
	for _, h := range l {
		rows = append(rows, []string{h.Topic, fmt.Sprint(h.Partition), fmt.Sprint(h.ProducerID), fmt.Sprint(h.ProducerEpoch), fmt.Sprint(h.CoordinatorEpoch),
			fmt.Sprint(h.StartOffset), fmt.Sprintf("%d s", h.AgeSeconds)})
	}
	return show.Table(dst, rows...)
}
