package facts

import (
	"encoding/binary"
	"fmt"

	"github.com/klamm-log/klamm/core"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// dataRequest writes the requests that move records; false for all others.
func (w *writer) dataRequest(r kmsg.Request) bool {
	switch r := r.(type) {
	case *kmsg.ProduceRequest:
		w.produce(r)
	case *kmsg.FetchRequest:
		w.fetch(r)
	case *kmsg.ListOffsetsRequest:
		for i := range r.Topics {
			for _, p := range r.Topics[i].Partitions {
				w.say("%s at %s", w.part(r.Topics[i].Topic, core.TopicID{}, p.Partition, core.NoOffset, core.NoOffset, 0), moment(p.Timestamp))
			}
		}
	case *kmsg.OffsetForLeaderEpochRequest:
		for i := range r.Topics {
			for _, p := range r.Topics[i].Partitions {
				w.say("%s: where does epoch %d end", w.part(r.Topics[i].Topic, core.TopicID{}, p.Partition, core.NoOffset, core.NoOffset, 0), p.LeaderEpoch)
			}
		}
	case *kmsg.DeleteRecordsRequest:
		for i := range r.Topics {
			for _, p := range r.Topics[i].Partitions {
				w.say("%s below %d", w.part(r.Topics[i].Topic, core.TopicID{}, p.Partition, core.Offset(p.Offset), core.NoOffset, 0), p.Offset)
			}
		}
	default:
		return false
	}
	return true
}

// dataResponse writes the responses to the same.
func (w *writer) dataResponse(r kmsg.Response) bool {
	switch r := r.(type) {
	case *kmsg.ProduceResponse:
		w.produced(r)
	case *kmsg.FetchResponse:
		w.fetched(r)
	case *kmsg.ListOffsetsResponse:
		for i := range r.Topics {
			for _, p := range r.Topics[i].Partitions {
				name := w.part(r.Topics[i].Topic, core.TopicID{}, p.Partition, core.Offset(p.Offset), core.NoOffset, p.ErrorCode)
				w.say("%s: offset %d%s", name, p.Offset, failed(p.ErrorCode))
			}
		}
	case *kmsg.OffsetForLeaderEpochResponse:
		for i := range r.Topics {
			for _, p := range r.Topics[i].Partitions {
				name := w.part(r.Topics[i].Topic, core.TopicID{}, p.Partition, core.Offset(p.EndOffset), core.NoOffset, p.ErrorCode)
				w.say("%s: epoch %d ends at %d%s", name, p.LeaderEpoch, p.EndOffset, failed(p.ErrorCode))
			}
		}
	case *kmsg.DeleteRecordsResponse:
		for i := range r.Topics {
			for _, p := range r.Topics[i].Partitions {
				name := w.part(r.Topics[i].Topic, core.TopicID{}, p.Partition, core.Offset(p.LowWatermark), core.NoOffset, p.ErrorCode)
				w.say("%s begins at %d now%s", name, p.LowWatermark, failed(p.ErrorCode))
			}
		}
	default:
		return false
	}
	return true
}

// moment is what a timestamp of ListOffsets asks for (KIP-79, KIP-734).
func moment(t int64) string {
	switch t {
	case -1:
		return "its end"
	case -2:
		return "its start"
	case -3:
		return "its newest timestamp"
	}
	return fmt.Sprintf("timestamp %d", t)
}

func (w *writer) produce(r *kmsg.ProduceRequest) {
	acks := "all"
	if r.Acks >= 0 {
		acks = fmt.Sprint(r.Acks)
	}
	for i := range r.Topics {
		t := &r.Topics[i]
		for _, p := range t.Partitions {
			name := w.part(t.Topic, core.TopicID(t.TopicID), p.Partition, core.NoOffset, core.NoOffset, 0)
			s := summarize(p.Records)
			by := ""
			if s.producer >= 0 {
				by = fmt.Sprintf(", producer %d epoch %d sequence %d", s.producer, s.producerEpoch, s.sequence)
			}
			plural := "s"
			if s.records == 1 {
				plural = ""
			}
			w.say("%s: %d record%s, acks=%s%s", name, s.records, plural, acks, by)
		}
	}
}

func (w *writer) produced(r *kmsg.ProduceResponse) {
	for i := range r.Topics {
		t := &r.Topics[i]
		for _, p := range t.Partitions {
			name := w.part(t.Topic, core.TopicID(t.TopicID), p.Partition, core.Offset(p.BaseOffset), core.NoOffset, p.ErrorCode)
			if p.ErrorCode != 0 {
				w.say("%s:%s", name, failed(p.ErrorCode))
			} else {
				w.say("%s stored from offset %d on", name, p.BaseOffset)
			}
		}
	}
}

func (w *writer) fetch(r *kmsg.FetchRequest) {
	who := "consumer"
	if id := max(r.ReplicaID, r.ReplicaState.ID); id >= 0 {
		who = fmt.Sprintf("replica %d", id)
	}
	w.m.Idle = true
	n := 0
	for i := range r.Topics {
		t := &r.Topics[i]
		for _, p := range t.Partitions {
			name := w.part(t.Topic, core.TopicID(t.TopicID), p.Partition, core.Offset(p.FetchOffset), core.NoOffset, 0)
			text := fmt.Sprintf("%s from %d", name, p.FetchOffset)
			if p.LastFetchedEpoch >= 0 {
				text += fmt.Sprintf(" (its last record is of epoch %d)", p.LastFetchedEpoch)
			}
			if p.CurrentLeaderEpoch >= 0 {
				text += fmt.Sprintf(", leader epoch %d", p.CurrentLeaderEpoch)
			}
			if n++; n == 1 {
				text = who + ": " + text
			}
			w.say("%s", text)
		}
	}
	if n == 0 {
		w.say("%s: session %d goes on", who, r.SessionID)
	}
}

func (w *writer) fetched(r *kmsg.FetchResponse) {
	w.err(r.ErrorCode)
	w.m.Idle = r.ErrorCode == 0
	if r.ErrorCode != 0 {
		w.say("%v", core.ErrorCode(r.ErrorCode))
	}
	for i := range r.Topics {
		t := &r.Topics[i]
		for k := range t.Partitions {
			w.fetchedPart(t.Topic, core.TopicID(t.TopicID), &t.Partitions[k])
		}
	}
	if len(w.items) == 0 {
		w.say("nothing new")
	}
}

func (w *writer) fetchedPart(topic string, id core.TopicID, p *kmsg.FetchResponseTopicPartition) {
	s := summarize(p.RecordBatches)
	from, to := core.NoOffset, core.NoOffset
	if s.batches > 0 {
		from, to = s.from, s.to
	}
	name := w.part(topic, id, p.Partition, from, to, p.ErrorCode)
	switch {
	case p.ErrorCode != 0:
		w.m.Idle = false
		w.say("%s:%s", name, failed(p.ErrorCode))
	case p.DivergingEpoch.EndOffset >= 0:
		w.m.Idle = false
		w.say("%s: the logs part, epoch %d ends at %d", name, p.DivergingEpoch.Epoch, p.DivergingEpoch.EndOffset)
	case p.SnapshotID.EndOffset >= 0 && p.SnapshotID.Epoch >= 0:
		w.m.Idle = false
		w.say("%s: take the snapshot at %d of epoch %d", name, p.SnapshotID.EndOffset, p.SnapshotID.Epoch)
	case s.batches > 0:
		w.m.Idle = false
		w.say("%s: %s (epoch %d), HighWatermark %d", name, stretch(s.from, s.to), s.epoch, p.HighWatermark)
	case p.HighWatermark >= 0:
		w.say("%s: no records, HighWatermark %d", name, p.HighWatermark)
	}
}

// stretch writes the offsets [from, to).
func stretch(from, to core.Offset) string {
	if to == from+1 {
		return fmt.Sprintf("record %d", from)
	}
	return fmt.Sprintf("records %d..%d", from, to-1)
}

// summary is what the headers of batches say.
type summary struct {
	batches, records int
	from, to         core.Offset
	epoch            int32
	producer         int64
	producerEpoch    int16
	sequence         int32
}

// batchHeader is the length of a RecordBatch v2 up to its records.
const batchHeader = 61

// summarize reads the headers of whole batches of magic 2 (KIP-98), the only ones that a broker of ours stores. What is
// cut off at the end, as a Fetch response may be, is left out.
func summarize(b []byte) summary {
	s := summary{producer: -1}
	for len(b) >= batchHeader {
		size := 12 + int64(int32(binary.BigEndian.Uint32(b[8:])))
		if size < batchHeader || size > int64(len(b)) {
			return s
		}
		base := core.Offset(binary.BigEndian.Uint64(b))
		if s.batches == 0 {
			s.from = base
			s.producer = int64(binary.BigEndian.Uint64(b[43:]))
			s.producerEpoch = int16(binary.BigEndian.Uint16(b[51:]))
			s.sequence = int32(binary.BigEndian.Uint32(b[53:]))
		}
		s.batches++
		s.records += int(int32(binary.BigEndian.Uint32(b[57:])))
		s.epoch = int32(binary.BigEndian.Uint32(b[12:]))
		s.to = base + core.Offset(int32(binary.BigEndian.Uint32(b[23:]))) + 1
		b = b[size:]
	}
	return s
}
