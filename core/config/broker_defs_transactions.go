package config

// Transactions is what a broker's configuration says about transactions and their coordinator. Times are in milliseconds, sizes in
// bytes.
type Transactions struct {
	MaxTimeoutMs     int32 // transaction.max.timeout.ms
	ExpirationMs     int64 // transactional.id.expiration.ms
	AbortIntervalMs  int64 // transaction.abort.timed.out.transaction.cleanup.interval.ms
	RemoveIntervalMs int64 // transaction.remove.expired.transaction.cleanup.interval.ms
	Verification     bool  // transaction.partition.verification.enable (KIP-890)

	LoadBufferBytes   int32 // transaction.state.log.load.buffer.size
	TopicPartitions   int32 // transaction.state.log.num.partitions
	TopicReplication  int16 // transaction.state.log.replication.factor
	TopicMinISR       int32 // transaction.state.log.min.isr
	TopicSegmentBytes int32 // transaction.state.log.segment.bytes
}

// brokerDefsTransactions are the keys of the transaction coordinator and of the topic that it keeps its state in.
func brokerDefsTransactions() []Def {
	return []Def{
		{Name: "transaction.abort.timed.out.transaction.cleanup.interval.ms", Type: Int, Default: "10000", Min: 1, Max: unbound,
			Doc: "Time between two looks for transactions that have timed out."},
		{Name: "transaction.max.timeout.ms", Type: Int, Default: "900000", Min: 1, Max: unbound,
			Doc: "Longest transaction timeout that a producer may ask for."},
		{Name: "transaction.partition.verification.enable", Type: Boolean, Default: "true",
			Doc: "Whether a partition asks the transaction coordinator before the first batch of a transaction is appended (KIP-890)."},
		{Name: "transaction.remove.expired.transaction.cleanup.interval.ms", Type: Int, Default: "3600000", Min: 1, Max: unbound,
			Doc: "Time between two looks for transactional ids that have expired."},
		{Name: "transaction.state.log.load.buffer.size", Type: Int, Default: "5242880", Min: 1, Max: unbound,
			Doc: "Bytes of the transaction topic per read when a coordinator loads. A first batch that is larger comes all the same."},
		{Name: "transaction.state.log.min.isr", Type: Int, Default: "2", Min: 1, Max: unbound,
			Doc: "min.insync.replicas of the transaction topic when it is created."},
		{Name: "transaction.state.log.num.partitions", Type: Int, Default: "50", Min: 1, Max: unbound,
			Doc: "Partitions of the transaction topic when it is created."},
		{Name: "transaction.state.log.replication.factor", Type: Short, Default: "3", Min: 1, Max: 32767,
			Doc: "Replicas of the transaction topic when it is created. With fewer brokers it is not created, and no transaction is served."},
		{Name: "transaction.state.log.segment.bytes", Type: Int, Default: "104857600", Min: 1, Max: unbound,
			Doc: "Segment size of the transaction topic when it is created."},
		{Name: "transactional.id.expiration.ms", Type: Int, Default: "604800000", Min: 1, Max: unbound,
			Doc: "Time after which a transactional id that has no open transaction and is not used is forgotten."},
	}
}

// transactions reads the transaction coordinator's keys.
func (r *brokerReader) transactions() Transactions {
	return Transactions{
		MaxTimeoutMs:      int32(r.number("transaction.max.timeout.ms")),
		ExpirationMs:      r.number("transactional.id.expiration.ms"),
		AbortIntervalMs:   r.number("transaction.abort.timed.out.transaction.cleanup.interval.ms"),
		RemoveIntervalMs:  r.number("transaction.remove.expired.transaction.cleanup.interval.ms"),
		Verification:      r.flag("transaction.partition.verification.enable"),
		LoadBufferBytes:   int32(r.number("transaction.state.log.load.buffer.size")),
		TopicPartitions:   int32(r.number("transaction.state.log.num.partitions")),
		TopicReplication:  int16(r.number("transaction.state.log.replication.factor")),
		TopicMinISR:       int32(r.number("transaction.state.log.min.isr")),
		TopicSegmentBytes: int32(r.number("transaction.state.log.segment.bytes")),
	}
}
