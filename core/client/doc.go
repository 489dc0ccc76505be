// Package client is the client half of Kafka's protocol as one pure machine: a connection manager with a producer with transactions, a
// consumer, an admin and a membership in a consumer group on top. The simulator's clients and the Go client over sockets are the same [Client].
//
// # Driving it
//
// A Client is a [step.Machine] and lives in a node.Node. Whoever owns the node calls the client's methods between
// turns, never during one. Methods perform nothing: they record what is wanted, take the present as an argument, and
// make [Client.NextDeadline] due at once, so the next Poll of the node acts on it. Outcomes wait in slices that the
// owner drains after each turn:
//
//	c, err := client.New(client.Options{Cluster: cluster.Options{Bootstrap: []string{"127.0.0.1:9092"}}})
//	n := node.New(c, clock, network, disk)
//	c.Producer().Produce(clock.Now(), producer.Record{Topic: "t", Partition: producer.AnyPartition, Value: v}, 7)
//	for len(results) == 0 {
//		n.Poll() // after events have been delivered or n.NextDeadline() has passed
//		results = c.Producer().Results(results[:0])
//	}
//
// The methods:
//
//	New(Options) (*Client, error)
//	(*Client) Producer(), Consumer(), Admin(), Group(), Transactions(), Pipeline(), Cluster()
//	(*Client) Close(now)                                   hang up at the next turn; what is unfinished fails
//	(*producer.Producer) Produce(now, Record, token) bool  false: buffer memory is full, drain and try again
//	(*producer.Producer) Results(dst) []Result             appends what is finished, in the order of finishing
//	(*producer.Producer) Flush(now)                        send now, without waiting for linger
//	(*producer.Producer) Pending() int                     records accepted and without a result
//	(*producer.Producer) SetPartitioner(topic, Partitioner)
//	(*consumer.Consumer) Assign(now, topic, partition, Start)       also seeks
//	(*consumer.Consumer) Unassign, Pause, Resume(now, topic, partition)
//	(*consumer.Consumer) Poll(now, max int, dst []Record) []Record
//	(*consumer.Consumer) Events(dst) []Event
//	(*consumer.Consumer) Position(topic, partition) (offset, epochPlusOne, ok)
//	(*consumer.Consumer) Watermarks(topic, partition) (Watermarks, bool)
//	(*consumer.Consumer) Lag(topic, partition) (int64, bool)
//	(*member.Member) Subscribe, SubscribePattern, Leave(now)        the consumer reads what the group assigns
//	(*member.Member) Poll, Commit, Seek, Pause, Resume, Owned
//	(*member.Member) Events(dst) []Event, Commits(dst) []Commit
//	(*txn.Manager) Begin, Commit, Abort, Restart(now) bool          the producer's records belong to what is open
//	(*txn.Manager) SendOffsets(now, Group, []Offset) bool           a group's offsets do, too
//	(*txn.Manager) State(), Events(dst) []Event
//	(*pipeline.Pipeline) Poll, Finish, Discard, Outcomes            consume, transform, produce as one transaction
//	(*admin.Admin) Call(now, kmsg.Request, Route, token)
//	(*admin.Admin) Replies(dst) []Reply
package client
