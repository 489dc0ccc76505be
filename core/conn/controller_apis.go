package conn

// ControllerAPIs lists the keys and versions that a controller listener accepts: those whose Kafka schema names
// "controller" among its listeners and that this software knows. Brokers and voters speak them to controllers, admin
// clients may (KIP-919). What stands here and not in the brokers' table, such as Vote or BrokerRegistration, closes a
// connection of a client listener, as any unknown key does.
//
// Not as in Kafka: Fetch begins at 12, where it learnt of diverging epochs (KIP-595). Envelope is not served: a broker
// forwards the request itself, which there is no principal to wrap with.
func ControllerAPIs() []VersionRange {
	return []VersionRange{
		{Key: 1, Min: 12, Max: 18}, // Fetch, of the metadata log
		{Key: 18, Min: 0, Max: 5},  // ApiVersions
		{Key: 19, Min: 2, Max: 7},  // CreateTopics
		{Key: 20, Min: 1, Max: 6},  // DeleteTopics
		{Key: 32, Min: 1, Max: 4},  // DescribeConfigs
		{Key: 33, Min: 0, Max: 2},  // AlterConfigs
		{Key: 37, Min: 0, Max: 3},  // CreatePartitions
		{Key: 43, Min: 0, Max: 2},  // ElectLeaders
		{Key: 44, Min: 0, Max: 1},  // IncrementalAlterConfigs
		{Key: 45, Min: 0, Max: 1},  // AlterPartitionReassignments
		{Key: 46, Min: 0, Max: 0},  // ListPartitionReassignments
		{Key: 52, Min: 0, Max: 2},  // Vote
		{Key: 53, Min: 0, Max: 1},  // BeginQuorumEpoch
		{Key: 54, Min: 0, Max: 1},  // EndQuorumEpoch
		{Key: 55, Min: 0, Max: 2},  // DescribeQuorum
		{Key: 56, Min: 2, Max: 3},  // AlterPartition
		{Key: 57, Min: 0, Max: 2},  // UpdateFeatures
		{Key: 59, Min: 0, Max: 1},  // FetchSnapshot
		{Key: 60, Min: 0, Max: 2},  // DescribeCluster
		{Key: 62, Min: 0, Max: 4},  // BrokerRegistration
		{Key: 63, Min: 0, Max: 1},  // BrokerHeartbeat
		{Key: 64, Min: 0, Max: 0},  // UnregisterBroker
		{Key: 67, Min: 0, Max: 0},  // AllocateProducerIds
		{Key: 70, Min: 0, Max: 0},  // ControllerRegistration
		{Key: 73, Min: 0, Max: 0},  // AssignReplicasToDirs
		{Key: 80, Min: 0, Max: 1},  // AddRaftVoter
		{Key: 81, Min: 0, Max: 0},  // RemoveRaftVoter
		{Key: 82, Min: 0, Max: 0},  // UpdateRaftVoter
	}
}
