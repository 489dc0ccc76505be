package perf

// work is one thing that all servers are measured at, each time on a new topic.
type work struct {
	Name       string
	Mode       mode // to be read, a topic is filled first, which is not measured
	Size       int  // bytes of a value
	Partitions int32
	Replicas   int16
	Records    int64 // that are measured
	Warmup     int64 // records before them
	Targets    []target
}

// The servers, by name. Not all of them take part in all works.
const (
	klamm       = "Klamm"
	earlier     = "earlier Klamm" // another build, see PERF_BEFORE
	kafka       = "Kafka"
	kafkaSynced = "Kafka, fsync"
	discarding  = "discard"
	machine     = "machine" // what it can do itself in the same minute: see floor
)

// oneBroker is what one broker is measured at, with the targets of one.
func oneBroker() []work {
	return []work{
		{
			Name: "produce 1 KiB, 12 partitions", Mode: produce, Size: 1024, Partitions: 12, Replicas: 1,
			Records: 1_000_000, Warmup: 5000,
			Targets: []target{
				{Figure: rate, AtLeast: true, Bound: 0.85, Times: discarding},
				// Of the 1,600 MB/s that a file with a sync for each MiB took on the machine for which the targets were set.
				{Figure: rate, AtLeast: true, Bound: 0.64, Times: machine},
				{Figure: rate, AtLeast: true, Bound: 1.5, Times: kafka},
				{Figure: cpu, Bound: 0.6},
			},
		},
		{
			Name: "produce 100 B, 12 partitions", Mode: produce, Size: 100, Partitions: 12, Replicas: 1,
			Records: 5_000_000, Warmup: 5000, Targets: smallRecords(),
		},
		{
			Name: "produce 100 B, 1 partition", Mode: produce, Size: 100, Partitions: 1, Replicas: 1,
			Records: 5_000_000, Warmup: 5000, Targets: smallRecords(),
		},
		{
			Name: "consume 1 KiB, 12 partitions", Mode: consume, Size: 1024, Partitions: 12, Replicas: 1,
			Records: 1_000_000, Warmup: 5000,
			Targets: []target{
				{Figure: rate, AtLeast: true, Bound: 1, Times: kafka},
				{Figure: cpu, Bound: 0.3},
			},
		},
		// The multiples are of the 58 + 17 us, p99 97 + 33 us, that the machine took for which the targets were set.
		closedLoop(1,
			target{Figure: median, Bound: 150},
			target{Figure: median, Bound: 2.0, Times: machine},
			target{Figure: p99, Bound: 400},
			target{Figure: p99, Bound: 3.1, Times: machine}),
	}
}

// threeBrokers is what a cluster of three is measured at, with the targets of one.
func threeBrokers() []work {
	return []work{
		{
			Name: "produce 1 KiB, 12 partitions", Mode: produce, Size: 1024, Partitions: 12, Replicas: 3,
			Records: 400_000, Warmup: 5000,
			Targets: []target{{Figure: rate, AtLeast: true, Bound: 3, Times: kafka}},
		},
		{
			Name: "consume 1 KiB, 12 partitions", Mode: consume, Size: 1024, Partitions: 12, Replicas: 3,
			Records: 400_000, Warmup: 5000,
			Targets: []target{{Figure: rate, AtLeast: true, Bound: 1, Times: kafka}},
		},
		closedLoop(3,
			target{Figure: median, Bound: 400},
			target{Figure: median, Bound: 5.3, Times: machine},
			target{Figure: p99, Bound: 1500},
			target{Figure: p99, Bound: 11.5, Times: machine}),
	}
}

// smallRecords are the targets where the client has more to do than the broker.
func smallRecords() []target {
	return []target{
		{Figure: rate, AtLeast: true, Bound: 0.95, Times: discarding},
		{Figure: cpu, Bound: 1.2},
	}
}

// closedLoop is one client that waits for each of its records.
func closedLoop(replicas int16, targets ...target) work {
	return work{
		Name: "closed loop, 1 client, 100 B", Mode: loop, Size: 100, Partitions: 1, Replicas: replicas,
		Records: 5000, Warmup: 200, Targets: targets,
	}
}

// bytes is how much the values of all records have, those of the warm-up included.
func (w work) bytes() int64 { return (w.Records + w.Warmup) * int64(w.Size) }

// tiny is the same work on so few records that it says nothing about speed.
func (w work) tiny() work {
	w.Records, w.Warmup = min(w.Records/100, 5000), 20
	return w
}

// load is the work of one client.
func (w work) load(m mode, brokers []string, topic string) load {
	return load{
		Mode: m, Brokers: brokers, Topic: topic,
		Partitions: w.Partitions, Size: w.Size, Records: w.Records, Warmup: w.Warmup,
	}
}
