package config

// Cleaner is what a broker's configuration says about log compaction. Names in comments are Kafka's.
type Cleaner struct {
	Disabled       bool  // log.cleaner.enable=false: nothing is compacted
	Threads        int32 // log.cleaner.threads: logs that are compacted at the same time
	MapBytes       int64 // log.cleaner.dedupe.buffer.size, for all of them together
	MapLoad        int64 // log.cleaner.io.buffer.load.factor, in millionths
	IOBufferBytes  int32 // log.cleaner.io.buffer.size, for all of them together
	BytesPerSecond int64 // log.cleaner.io.max.bytes.per.second, read and written, for all of them together
	BackoffMs      int64 // log.cleaner.backoff.ms: pause after a look that found nothing to do
}

// brokerDefsCleaner are the keys of log compaction. The one thread that Kafka asks for is here a share of the loop.
func brokerDefsCleaner() []Def {
	return []Def{
		{Name: "log.cleaner.backoff.ms", Type: Long, Default: "15000", Min: 1, Max: unbound / 1_000_000,
			Doc: "Time between two looks for logs to compact, if the last one found none."},
		{Name: "log.cleaner.dedupe.buffer.size", Type: Long, Default: "134217728", Min: 1, Max: unbound,
			Doc: "Memory in which compaction remembers the last offset of each key, 24 bytes per key. Where it is not enough, a log " +
				"is compacted in several rounds."},
		{Name: "log.cleaner.enable", Type: Boolean, Default: "true", Doc: "Whether logs are compacted at all."},
		{Name: "log.cleaner.io.buffer.load.factor", Type: Double, Default: "0.9",
			Doc: "Part of the memory for keys that is used."},
		{Name: "log.cleaner.io.buffer.size", Type: Int, Default: "524288", Max: unbound,
			Doc: "Memory for compaction's reads and writes. No more than 64 KiB are worked on at a time."},
		{Name: "log.cleaner.io.max.bytes.per.second", Type: Double, Default: "1.7976931348623157E308", Min: 1, Max: unbound,
			Doc: "Bytes that compaction may read and write per second."},
		{Name: "log.cleaner.threads", Type: Int, Default: "1", Min: 1, Max: 1024,
			Doc: "Logs that are compacted at the same time."},
	}
}

// cleaner reads the keys of log compaction.
func (r *brokerReader) cleaner() Cleaner {
	rate, _ := parseRate(r.text("log.cleaner.io.max.bytes.per.second"))
	return Cleaner{
		Disabled:       !r.flag("log.cleaner.enable"),
		Threads:        int32(r.number("log.cleaner.threads")),
		MapBytes:       r.number("log.cleaner.dedupe.buffer.size"),
		MapLoad:        parseRatio(r.text("log.cleaner.io.buffer.load.factor")),
		IOBufferBytes:  int32(r.number("log.cleaner.io.buffer.size")),
		BytesPerSecond: rate,
		BackoffMs:      r.number("log.cleaner.backoff.ms"),
	}
}
