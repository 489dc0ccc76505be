package config

// rackAwareSelector is the one replica selector there is: Kafka's, which prefers replicas in the consumer's rack.
const rackAwareSelector = "org.apache.kafka.common.replica.RackAwareReplicaSelector"

// longestMs is the longest time in ms that nanoseconds can count.
const longestMs = unbound / 1_000_000

// brokerDefsReplication are the keys of brokers among themselves and with the active controller.
func brokerDefsReplication() []Def {
	return []Def{
		{Name: "auto.leader.rebalance.enable", Type: Boolean, Default: "true",
			Doc: "Whether partitions go back to their preferred leaders by themselves. Looked at every leader.imbalance.check.interval.seconds."},
		{Name: "broker.heartbeat.interval.ms", Type: Int, Default: "2000", Min: 1, Max: unbound,
			Doc: "Time between two heartbeats of a broker to the active controller."},
		{Name: "broker.session.timeout.ms", Type: Int, Default: "9000", Min: 1, Max: unbound,
			Doc: "Time without heartbeats after which a broker is fenced: it leads nothing and is in no ISR."},
		{Name: "controlled.shutdown.enable", Type: Boolean, Default: "true",
			Doc: "Whether a broker that is told to stop lets the controller move its leaderships first."},
		{Name: "leader.imbalance.check.interval.seconds", Type: Long, Default: "300", Min: 1, Max: longestMs / 1000,
			Doc: "Time between two looks for partitions that are not led by their preferred leader."},
		{Name: "replica.fetch.backoff.ms", Type: Int, Default: "1000", Max: unbound,
			Doc: "Time for which a follower leaves a partition alone after its leader answered with an error."},
		{Name: "replica.fetch.max.bytes", Type: Int, Default: "1048576", Max: unbound,
			Doc: "Most bytes of one partition in one fetch of a follower. A first batch that is larger comes all the same."},
		{Name: "replica.fetch.min.bytes", Type: Int, Default: "1", Max: unbound,
			Doc: "Least bytes that a leader waits for before it answers a follower, up to replica.fetch.wait.max.ms."},
		{Name: "replica.fetch.response.max.bytes", Type: Int, Default: "10485760", Max: unbound,
			Doc: "Most bytes in the answer to one fetch of a follower. A first batch that is larger comes all the same."},
		{Name: "replica.fetch.wait.max.ms", Type: Int, Default: "500", Max: unbound,
			Doc: "Longest time that a leader lets a follower's fetch wait for records."},
		{Name: "replica.high.watermark.checkpoint.interval.ms", Type: Long, Default: "5000", Min: 1, Max: longestMs,
			Doc: "Time between two checkpoints of the partitions' high watermarks."},
		{Name: "replica.lag.time.max.ms", Type: Long, Default: "30000", Min: 1, Max: longestMs,
			Doc: "Time after which a follower that has not caught up with its leader leaves the ISR."},
		{Name: "replica.selector.class", Type: String, NoDefault: true, Values: []string{rackAwareSelector},
			Doc: "Which replica a consumer is told to read from. Without it, the leader; RackAwareReplicaSelector prefers one in the consumer's rack."},
		{Name: "replica.socket.timeout.ms", Type: Int, Default: "30000", Min: 1, Max: unbound,
			Doc: "Time after which a request between brokers that is not answered has failed. At least replica.fetch.wait.max.ms."},
	}
}

// brokerDefsQuorum are the keys of the quorum that holds the metadata log.
func brokerDefsQuorum() []Def {
	return []Def{
		{Name: "controller.listener.names", Type: ListOf, NoDefault: true,
			Doc: "Which of the listeners belong to the controller. On a node that is only a broker: the names under which it finds controllers; the first counts."},
		{Name: "controller.quorum.bootstrap.servers", Type: ListOf, Default: "",
			Doc: "Addresses at which a node finds the quorum, as host:port. Not needed on a node that is a quorum by itself."},
		{Name: "controller.quorum.election.backoff.max.ms", Type: Int, Default: "1000", Min: 1, Max: unbound,
			Doc: "Longest time that a candidate waits before it asks for votes again."},
		{Name: "controller.quorum.election.timeout.ms", Type: Int, Default: "1000", Min: 1, Max: unbound,
			Doc: "Time after which an election without a winner begins anew. The real time is drawn between it and its double."},
		{Name: "controller.quorum.fetch.timeout.ms", Type: Int, Default: "2000", Min: 1, Max: unbound,
			Doc: "Time without a successful fetch after which a voter stands for election, and without fetches of a majority after which a leader resigns."},
		{Name: "controller.quorum.request.timeout.ms", Type: Int, Default: "2000", Min: 1, Max: unbound,
			Doc: "Time after which a request within the quorum that is not answered has failed."},
		{Name: "controller.quorum.retry.backoff.ms", Type: Int, Default: "20", Max: unbound,
			Doc: "Time before a failed request within the quorum is repeated."},
		{Name: "controller.quorum.voters", Type: ListOf, Default: "",
			Doc: "The quorum that a new cluster begins with, as id@host:port, the same on all its nodes."},
		{Name: "metadata.log.max.record.bytes.between.snapshots", Type: Long, Default: "20971520", Min: 1, Max: unbound,
			Doc: "Bytes of the metadata log after which a new snapshot is made."},
	}
}
