package oracle_test

import (
	"bytes"
	"time"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// put is a Produce request for one partition, with name and id, of which the version takes one.
func put(topic string, partition int32, records func(s *side) []byte, changes ...func(*kmsg.ProduceRequest)) func(*side) kmsg.Request {
	return func(s *side) kmsg.Request {
		r := kmsg.NewPtrProduceRequest()
		r.Acks, r.TimeoutMillis = -1, 3000
		p := kmsg.NewProduceRequestTopicPartition()
		p.Partition, p.Records = partition, records(s)
		t := kmsg.NewProduceRequestTopic()
		t.Topic, t.TopicID, t.Partitions = topic, s.id(topic), append(t.Partitions, p)
		if topic == "absent" {
			t.TopicID = unknownID()
		}
		r.Topics = append(r.Topics, t)
		for _, change := range changes {
			change(r)
		}
		return r
	}
}

func acks(n int16) func(*kmsg.ProduceRequest) { return func(r *kmsg.ProduceRequest) { r.Acks = n } }

// bytesOf are the same for both brokers.
func bytesOf(b []byte) func(*side) []byte { return func(*side) []byte { return b } }

func good(values ...string) func(*side) []byte { return bytesOf(harness.Plain(values...).Encode()) }

// spoilt is a batch of two records with a change.
func spoilt(change func(b *harness.Batch)) func(*side) []byte {
	b := harness.Plain("one", "two")
	change(&b)
	return bytesOf(b.Encode())
}

// patched is a batch of two records with other bytes at some place; the CRC is not corrected.
func patched(at int, with ...byte) func(*side) []byte {
	b := harness.Plain("one", "two").Encode()
	copy(b[at:], with)
	return bytesOf(b)
}

// numbered is a batch of a producer that the broker gave an id.
func numbered(epoch int16, sequence int32, values ...string) func(*side) []byte {
	return func(s *side) []byte {
		b := harness.Plain(values...)
		b.ProducerID, b.ProducerEpoch, b.BaseSequence = s.producer, epoch, sequence
		return b.Encode()
	}
}

func produceSteps() []step {
	const crc, magic, length = harness.CRCAt, 16, 8
	one := harness.Plain("one").Encode()
	steps := []step{
		{name: "good", make: put("data", 0, good("a", "b", "c")), from: 3, to: 13},
		{name: "acks 1", make: put("data", 0, good("d"), acks(1)), from: 3, to: 13},
		{name: "stamped", make: put("stamped", 0, good("a"))},
	}
	for _, c := range sorted(map[string]func(*side) kmsg.Request{
		"acks 2": put("data", 1, good("x"), acks(2)), "acks -2": put("data", 1, good("x"), acks(-2)),
		"absent topic": put("absent", 0, good("x")), "absent partition": put("data", 9, good("x")), "partition -1": put("data", -1, good("x")),
		"wrong CRC": put("data", 1, patched(crc, 1, 2, 3, 4)), "magic 1": put("data", 1, patched(magic, 1)), "magic 3": put("data", 1, patched(magic, 3)),
		"no bytes": put("data", 1, bytesOf([]byte{})), "cut off": put("data", 1, bytesOf(one[:len(one)-1])),
		"half a header": put("data", 1, bytesOf(one[:30])), "two batches": put("data", 1, bytesOf(append(bytes.Clone(one), one...))),
		"length -1": put("data", 1, patched(length, 0xff, 0xff, 0xff, 0xff)), "length too long": put("data", 1, patched(length, 0, 1, 0, 0)),
		"count 0": put("data", 1, spoilt(func(b *harness.Batch) { b.Count = 0 })), "count -1": put("data", 1, spoilt(func(b *harness.Batch) { b.Count = -1 })),
		"count 1": put("data", 1, spoilt(func(b *harness.Batch) { b.Count = 1 })), "count 3": put("data", 1, spoilt(func(b *harness.Batch) { b.Count, b.LastOffsetDelta = 3, 2 })),
		"delta 5": put("data", 1, spoilt(func(b *harness.Batch) { b.LastOffsetDelta = 5 })),
		"control": put("data", 1, spoilt(func(b *harness.Batch) { b.Attributes = 1 << 5 })), "codec 5": put("data", 1, spoilt(func(b *harness.Batch) { b.Attributes = 5 })),
		"gzip of noise": put("data", 1, spoilt(func(b *harness.Batch) { b.Attributes = 1 })), "record cut": put("data", 1, spoilt(func(b *harness.Batch) { b.Records = b.Records[:5] })),
		"too large": put("small", 0, good(string(make([]byte, 2000)))), "no key, compacted": put("compacted", 0, good("x")),
		"too early": put("timely", 0, good("x")), "too late": put("timely", 0, spoilt(func(b *harness.Batch) { b.Timestamp = time.Now().Add(time.Hour).UnixMilli() })),
		"far future":                put("data", 1, spoilt(func(b *harness.Batch) { b.Timestamp = time.Now().Add(48 * time.Hour).UnixMilli() })),
		"transactional":             put("assigned", 1, good("x"), func(r *kmsg.ProduceRequest) { id := "tx"; r.TransactionID = &id }),
		"producer without sequence": put("data", 1, spoilt(func(b *harness.Batch) { b.ProducerID, b.ProducerEpoch = 5000, 0 })),
		"sequence -2":               put("data", 1, spoilt(func(b *harness.Batch) { b.ProducerID, b.ProducerEpoch, b.BaseSequence = 5000, 0, -2 })),
	}) {
		steps = append(steps, step{name: c.name, make: c.what, from: 11, to: 13})
	}
	return append(steps, producerSteps()...)
}

// producerSteps are an idempotent producer's life.
func producerSteps() []step {
	initialise := func(id *string, producer int64, epoch int16) func(*side) kmsg.Request {
		return func(*side) kmsg.Request {
			return &kmsg.InitProducerIDRequest{TransactionalID: id, TransactionTimeoutMillis: 1000, ProducerID: producer, ProducerEpoch: epoch}
		}
	}
	return []step{
		{name: "", make: initialise(nil, -1, -1), from: 0, to: 5},
		{name: "known", make: initialise(nil, 7, 3), from: 3, to: 5},
		{name: "fresh", make: initialise(nil, -1, -1), from: 5, to: 5},
		{name: "first", make: put("data", 1, numbered(0, 0, "a", "b"))},
		{name: "second", make: put("data", 1, numbered(0, 2, "c"))},
		{name: "second again", make: put("data", 1, numbered(0, 2, "c"))},
		{name: "first again", make: put("data", 1, numbered(0, 0, "a", "b"))},
		{name: "gap", make: put("data", 1, numbered(0, 9, "x"))},
		{name: "part of the first", make: put("data", 1, numbered(0, 1, "b"))},
		{name: "new epoch, not 0", make: put("data", 1, numbered(1, 4, "x"))},
		{name: "new epoch", make: put("data", 1, numbered(1, 0, "d"))},
		{name: "old epoch", make: put("data", 1, numbered(0, 3, "x"))},
		{name: "unknown producer", make: put("data", 1, spoilt(func(b *harness.Batch) { b.ProducerID, b.ProducerEpoch, b.BaseSequence = 4000, 3, 77 }))},
	}
}

// lookUp is a ListOffsets request for one partition.
func lookUp(topic string, partition int32, timestamp int64, epoch int32, isolation int8) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		r := kmsg.NewPtrListOffsetsRequest()
		r.ReplicaID, r.IsolationLevel = -1, isolation
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp, p.CurrentLeaderEpoch = partition, timestamp, epoch
		t := kmsg.NewListOffsetsRequestTopic()
		t.Topic, t.Partitions = topic, append(t.Partitions, p)
		r.Topics = append(r.Topics, t)
		return r
	}
}

// trim is a DeleteRecords request.
func trim(topic string, partition int32, before int64) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		r := kmsg.NewPtrDeleteRecordsRequest()
		r.TimeoutMillis = 5000
		r.Topics = []kmsg.DeleteRecordsRequestTopic{{
			Topic: topic, Partitions: []kmsg.DeleteRecordsRequestTopicPartition{{Partition: partition, Offset: before}},
		}}
		return r
	}
}

// epochEnd is an OffsetForLeaderEpoch request.
func epochEnd(topic string, partition, current, asked int32) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		r := kmsg.NewPtrOffsetForLeaderEpochRequest()
		r.ReplicaID = -1
		p := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
		p.Partition, p.CurrentLeaderEpoch, p.LeaderEpoch = partition, current, asked
		t := kmsg.NewOffsetForLeaderEpochRequestTopic()
		t.Topic, t.Partitions = topic, append(t.Partitions, p)
		r.Topics = append(r.Topics, t)
		return r
	}
}

func offsetSteps() []step {
	var steps []step
	for _, c := range sorted(map[string]int64{
		"latest": -1, "earliest": -2, "max timestamp": -3, "earliest local": -4, "latest tiered": -5, "earliest pending": -6, "-7": -7,
		"time 0": 0, "time": 1_700_000_000_000, "later time": 1_700_000_000_001, "least time": -1 << 63,
	}) {
		steps = append(steps,
			step{name: c.name, make: lookUp("data", 0, c.what, -1, 0), from: 1, to: 11},
			step{name: c.name + ", empty", make: lookUp("defaults", 0, c.what, -1, 0)},
			step{name: c.name + ", committed", make: lookUp("data", 0, c.what, -1, 1)},
		)
	}
	for _, epoch := range []int32{0, 1, -2} {
		steps = append(steps,
			step{name: "with epoch", make: lookUp("data", 0, -1, epoch, 0)},
			step{name: "asked", make: epochEnd("data", 0, -1, epoch), from: 2, to: 4},
			step{name: "with current", make: epochEnd("data", 0, epoch, 0)},
		)
	}
	return append(steps,
		step{name: "absent", make: lookUp("absent", 0, -1, -1, 0), from: 1, to: 11},
		step{name: "absent partition", make: lookUp("data", 9, -1, -1, 0)},
		step{name: "isolation 5", make: lookUp("data", 0, -1, -1, 5)},
		step{name: "absent", make: epochEnd("absent", 0, -1, 0), from: 2, to: 4},
		step{name: "absent partition", make: epochEnd("data", 9, -1, 0)},
		step{name: "absent", make: trim("absent", 0, 1), from: 0, to: 2},
		step{name: "absent partition", make: trim("data", 9, 1)},
		step{name: "beyond", make: trim("data", 0, 1000)},
		step{name: "-2", make: trim("data", 0, -2)},
		step{name: "inside", make: trim("data", 0, 5), from: 0, to: 2},
		step{name: "lower", make: trim("data", 0, 1)},
		step{name: "compacted", make: trim("compacted", 0, 0)},
		step{name: "all", make: trim("stamped", 0, -1)},
		step{name: "earliest after", make: lookUp("data", 0, -2, -1, 0)},
		step{name: "time after", make: lookUp("data", 0, 0, -1, 0)},
		step{name: "max timestamp after", make: lookUp("stamped", 0, -3, -1, 0)},
		step{name: "after trimming", make: epochEnd("data", 0, -1, 0)},
	)
}

// read is a Fetch request for one partition, without a session unless changed.
func read(topic string, partition int32, offset int64, changes ...func(s *side, r *kmsg.FetchRequest)) func(*side) kmsg.Request {
	return func(s *side) kmsg.Request {
		r := kmsg.NewPtrFetchRequest()
		r.MinBytes, r.MaxWaitMillis, r.SessionEpoch = 0, 100, -1
		p := kmsg.NewFetchRequestTopicPartition()
		p.Partition, p.FetchOffset, p.PartitionMaxBytes, p.CurrentLeaderEpoch = partition, offset, 1<<20, -1
		t := kmsg.NewFetchRequestTopic()
		t.Topic, t.TopicID, t.Partitions = topic, s.id(topic), append(t.Partitions, p)
		if topic == "absent" {
			t.TopicID = unknownID()
		}
		r.Topics = append(r.Topics, t)
		for _, change := range changes {
			change(s, r)
		}
		return r
	}
}

func fetchSteps() []step {
	epoch := func(current, last int32) func(*side, *kmsg.FetchRequest) {
		return func(_ *side, r *kmsg.FetchRequest) {
			r.Topics[0].Partitions[0].CurrentLeaderEpoch, r.Topics[0].Partitions[0].LastFetchedEpoch = current, last
		}
	}
	limit := func(all, one int32) func(*side, *kmsg.FetchRequest) {
		return func(_ *side, r *kmsg.FetchRequest) {
			r.MaxBytes, r.Topics[0].Partitions[0].PartitionMaxBytes = all, one
		}
	}
	session := func(epoch int32) func(*side, *kmsg.FetchRequest) {
		return func(s *side, r *kmsg.FetchRequest) { r.SessionID, r.SessionEpoch = s.session, epoch }
	}
	nothing := func(_ *side, r *kmsg.FetchRequest) { r.Topics = nil }
	forget := func(s *side, r *kmsg.FetchRequest) {
		f := kmsg.NewFetchRequestForgottenTopic()
		f.Topic, f.TopicID, f.Partitions = "data", s.id("data"), []int32{0}
		r.Topics, r.ForgottenTopics = nil, append(r.ForgottenTopics, f)
	}
	steps := []step{
		{name: "start", make: read("data", 0, 5), from: 4, to: 18}, {name: "second partition", make: read("data", 1, 0)},
		{name: "below the start", make: read("data", 0, 0), from: 4, to: 18}, {name: "beyond the end", make: read("data", 0, 10000), from: 4, to: 18},
		{name: "at the end", make: read("defaults", 0, 0), from: 4, to: 18}, {name: "absent", make: read("absent", 0, 0), from: 4, to: 18},
		{name: "absent partition", make: read("data", 9, 0), from: 4, to: 18}, {name: "offset -1", make: read("data", 0, -1)}, {name: "offset -5", make: read("data", 0, -5)},
		{name: "one byte", make: read("data", 1, 0, limit(1, 1))}, {name: "no bytes", make: read("data", 1, 0, limit(1<<20, 0))},
		{name: "-1 bytes", make: read("data", 1, 0, limit(-1, -1))}, {name: "70 bytes", make: read("data", 1, 0, limit(70, 70))},
		{name: "200 bytes", make: read("data", 1, 0, limit(1<<20, 200))}, {name: "inside a batch", make: read("data", 1, 1, limit(1<<20, 1))},
		{name: "committed", make: read("data", 1, 0, func(_ *side, r *kmsg.FetchRequest) { r.IsolationLevel = 1 }), from: 4, to: 18},
		{name: "epoch 0", make: read("data", 1, 0, epoch(0, -1))}, {name: "epoch 5", make: read("data", 1, 0, epoch(5, -1))}, {name: "epoch -2", make: read("data", 1, 0, epoch(-2, -1))},
		{name: "last epoch 0", make: read("data", 1, 0, epoch(-1, 0))}, {name: "last epoch 5", make: read("data", 1, 0, epoch(-1, 5))},
		{name: "last epoch 0, beyond", make: read("data", 1, 10000, epoch(-1, 0))},
		{name: "no such session", make: read("data", 1, 0, func(_ *side, r *kmsg.FetchRequest) { r.SessionID, r.SessionEpoch = 99, 3 })},
		{name: "epoch without session", make: read("data", 1, 0, func(_ *side, r *kmsg.FetchRequest) { r.SessionID, r.SessionEpoch = 0, 3 })},
	}
	for _, version := range []int16{12, 18} {
		at := func(name string, make func(*side) kmsg.Request) {
			steps = append(steps, step{name: "session: " + name, make: make, from: version, to: version})
		}
		at("new", read("data", 0, 5, func(_ *side, r *kmsg.FetchRequest) { r.SessionID, r.SessionEpoch = 0, 0 }))
		at("nothing new", read("data", 0, 5, session(1), nothing))
		at("more", read("data", 1, 0, session(2)))
		at("wrong epoch", read("data", 1, 0, session(9), nothing))
		at("same epoch", read("data", 1, 0, session(2), nothing))
		at("next", read("data", 1, 0, session(3), nothing))
		at("absent", read("absent", 0, 0, session(4)))
		at("forget", read("data", 0, 0, session(5), forget))
		at("close", read("data", 0, 0, session(-1), nothing))
		at("closed", read("data", 0, 0, session(6), nothing))
	}
	return steps
}
