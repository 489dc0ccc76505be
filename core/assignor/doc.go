// Package assignor divides the partitions of topics among the members of a consumer group, with the results of
// Apache Kafka's assignors.
//
// In a classic group the leader among the consumers assigns (core/client), in a group of KIP-848 the coordinator does
// (core/group/modern). Both call [Assignor.Assign], a pure function from members and topics to one list of partitions
// per member:
//
//	Range              each topic's partitions in contiguous ranges; rack-aware since KIP-881. On the server without racks
//	RoundRobin         all partitions dealt out in turn
//	Sticky             balanced, and as much as possible stays where it is (KIP-54); rack-aware since KIP-881
//	CooperativeSticky  the same, but what must move is withheld until its owner has given it up (KIP-429)
//	Uniform            the server's default (KIP-848): balanced and sticky, without racks
//
// # What always holds
//
// Every partition of a subscribed topic goes to exactly one member that subscribes to the topic (with CooperativeSticky: to
// at most one, the rest follows in the next round). The result is a function of the set of members and the set of topics;
// the order in which they are listed changes nothing. Topics that nobody subscribes to, subscriptions to topics that are
// not listed, and owned partitions that do not exist are ignored.
//
// # How equal to Kafka
//
// Kafka's code iterates over Java hash maps in places where the order decides who keeps an extra partition, or which of
// several equal partitions moves. Where it does, this package goes by ascending member id, topic name and partition.
// testdata/kafka.jsonl holds what Kafka 4.4's own classes answer to groups whose names hash in ascending order, so that
// equality can be demanded (scenarios/interop/assignors makes and checks it). For other names the sizes are the same and
// the identities may differ. docs/DIVERGENCE.md lists where this package deliberately differs: Kafka's answer would give
// a partition to two members or to a member that did not subscribe.
//
// One fault of Kafka's is kept, because the members of a group must be able to agree on an assignor: with racks and different
// subscriptions CooperativeSticky can take a partition from a member outside the partition's racks in one round and,
// for balance, give it back in the next, without end (tried with Kafka 4.4's class: TestCooperativeConverges leaves such
// groups out).
//
// Strings compare by bytes; Java compares UTF-16 units, which differs only between characters beyond U+FFFF and those
// from U+E000 to U+FFFF.
//
// The encodings in which consumers exchange subscriptions and assignments are in core/assignor/protocol.
package assignor
