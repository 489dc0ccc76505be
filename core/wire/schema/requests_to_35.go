package schema

// requestsTo35 are the shapes of the requests with keys 0 to 35.
//
//nolint:gochecknoglobals // a table of constants; Go has no constant of such a type
var requestsTo35 = [...]message{
	0: {name: "Produce", flexible: 9, size: 56, fields: []field{
		{name: "TransactionID", kind: text, since: 3, nullable: true, size: 16},
		{name: "Acks TimeoutMillis", kind: fixed, size: 6},
		{name: "Topics", kind: array, size: 64, fields: []field{
			{name: "Topic", kind: text, before: 13},
			{name: "TopicID", kind: fixed, since: 13, size: 16},
			{name: "Partitions", kind: array, size: 40, fields: []field{
				{name: "Partition", kind: fixed, size: 4},
				{name: "Records", kind: blob, nullable: true},
			}},
		}},
	}},
	1: {name: "Fetch", flexible: 12, size: 144, fields: []field{
		{name: "ReplicaID", kind: fixed, before: 15, size: 4},
		{name: "MaxWaitMillis MinBytes", kind: fixed, size: 8},
		{name: "MaxBytes", kind: fixed, since: 3, size: 4},
		{name: "IsolationLevel", kind: fixed, since: 4, size: 1},
		{name: "SessionID SessionEpoch", kind: fixed, since: 7, size: 8},
		{name: "Topics", kind: array, size: 64, fields: []field{
			{name: "Topic", kind: text, before: 13},
			{name: "TopicID", kind: fixed, since: 13, size: 16},
			{name: "Partitions", kind: array, size: 72, fields: []field{
				{name: "Partition", kind: fixed, size: 4},
				{name: "CurrentLeaderEpoch", kind: fixed, since: 9, size: 4},
				{name: "FetchOffset", kind: fixed, size: 8},
				{name: "LastFetchedEpoch", kind: fixed, since: 12, size: 4},
				{name: "LogStartOffset", kind: fixed, since: 5, size: 8},
				{name: "PartitionMaxBytes", kind: fixed, size: 4},
				{name: "ReplicaDirectoryID", kind: fixed, tagged: true, tag: 0, size: 16},
				{name: "HighWatermark", kind: fixed, tagged: true, tag: 1, size: 8},
			}},
		}},
		{name: "ForgottenTopics", kind: array, since: 7, size: 64, fields: []field{
			{name: "Topic", kind: text, since: 7, before: 13},
			{name: "TopicID", kind: fixed, since: 13, size: 16},
			{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
		}},
		{name: "Rack", kind: text, since: 11},
		{name: "ClusterID", kind: text, nullable: true, tagged: true, tag: 0, size: 16},
		{name: "ReplicaState", kind: group, tagged: true, tag: 1, fields: []field{{name: "ID Epoch", kind: fixed, size: 12}}},
	}},
	2: {name: "ListOffsets", flexible: 6, size: 56, fields: []field{
		{name: "ReplicaID", kind: fixed, size: 4},
		{name: "IsolationLevel", kind: fixed, since: 2, size: 1},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 32, fields: []field{
				{name: "Partition", kind: fixed, size: 4},
				{name: "CurrentLeaderEpoch", kind: fixed, since: 4, size: 4},
				{name: "Timestamp", kind: fixed, size: 8},
				{name: "MaxNumOffsets", kind: fixed, before: 1, size: 4},
			}},
		}},
		{name: "TimeoutMillis", kind: fixed, since: 10, size: 4},
	}},
	3: {name: "Metadata", flexible: 9, size: 48, fields: []field{
		{name: "Topics", kind: array, nullable: true, nullSince: 1, size: 32, fields: []field{
			{name: "TopicID", kind: fixed, since: 10, size: 16},
			{name: "Topic", kind: text, nullable: true, nullSince: 10, size: 16},
		}},
		{name: "AllowAutoTopicCreation", kind: fixed, since: 4, size: 1},
		{name: "IncludeClusterAuthorizedOperations", kind: fixed, since: 8, before: 11, size: 1},
		{name: "IncludeTopicAuthorizedOperations", kind: fixed, since: 8, size: 1},
	}},
	8: {name: "OffsetCommit", flexible: 8, size: 96, fields: []field{
		{name: "Group", kind: text},
		{name: "Generation", kind: fixed, since: 1, size: 4},
		{name: "MemberID", kind: text, since: 1},
		{name: "InstanceID", kind: text, since: 7, nullable: true, size: 16},
		{name: "RetentionTimeMillis", kind: fixed, since: 2, before: 5, size: 8},
		{name: "Topics", kind: array, size: 64, fields: []field{
			{name: "Topic", kind: text, before: 10},
			{name: "TopicID", kind: fixed, since: 10, size: 16},
			{name: "Partitions", kind: array, size: 48, fields: []field{
				{name: "Partition Offset", kind: fixed, size: 12},
				{name: "Timestamp", kind: fixed, since: 1, before: 2, size: 8},
				{name: "LeaderEpoch", kind: fixed, since: 6, size: 4},
				{name: "Metadata", kind: text, nullable: true, size: 16},
			}},
		}},
	}},
	9: {name: "OffsetFetch", flexible: 6, size: 88, fields: []field{
		{name: "Group", kind: text, before: 8},
		{name: "Topics", kind: array, before: 8, nullable: true, nullSince: 2, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
		}},
		{name: "Groups", kind: array, since: 8, size: 64, fields: []field{
			{name: "Group", kind: text},
			{name: "MemberID", kind: text, since: 9, nullable: true, size: 16},
			{name: "MemberEpoch", kind: fixed, since: 9, size: 4},
			{name: "Topics", kind: array, nullable: true, size: 64, fields: []field{
				{name: "Topic", kind: text, since: 8, before: 10},
				{name: "TopicID", kind: fixed, since: 10, size: 16},
				{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
			}},
		}},
		{name: "RequireStable", kind: fixed, since: 7, size: 1},
	}},
	10: {name: "FindCoordinator", flexible: 3, size: 64, fields: []field{
		{name: "CoordinatorKey", kind: text, before: 4},
		{name: "CoordinatorType", kind: fixed, since: 1, size: 1},
		{name: "CoordinatorKeys", kind: list, since: 4, size: 16, fields: []field{{kind: text}}},
	}},
	11: {name: "JoinGroup", flexible: 6, size: 112, fields: []field{
		{name: "Group", kind: text},
		{name: "SessionTimeoutMillis", kind: fixed, size: 4},
		{name: "RebalanceTimeoutMillis", kind: fixed, since: 1, size: 4},
		{name: "MemberID", kind: text},
		{name: "InstanceID", kind: text, since: 5, nullable: true, size: 16},
		{name: "ProtocolType", kind: text},
		{name: "Protocols", kind: array, size: 48, fields: []field{
			{name: "Name", kind: text},
			{name: "Metadata", kind: blob},
		}},
		{name: "Reason", kind: text, since: 8, nullable: true, size: 16},
	}},
	12: {name: "Heartbeat", flexible: 4, size: 64, fields: []field{
		{name: "Group", kind: text},
		{name: "Generation", kind: fixed, size: 4},
		{name: "MemberID", kind: text},
		{name: "InstanceID", kind: text, since: 3, nullable: true, size: 16},
	}},
	13: {name: "LeaveGroup", flexible: 4, size: 72, fields: []field{
		{name: "Group", kind: text},
		{name: "MemberID", kind: text, before: 3},
		{name: "Members", kind: array, since: 3, size: 40, fields: []field{
			{name: "MemberID", kind: text},
			{name: "InstanceID", kind: text, nullable: true, size: 16},
			{name: "Reason", kind: text, since: 5, nullable: true, size: 16},
		}},
	}},
	14: {name: "SyncGroup", flexible: 4, size: 104, fields: []field{
		{name: "Group", kind: text},
		{name: "Generation", kind: fixed, size: 4},
		{name: "MemberID", kind: text},
		{name: "InstanceID", kind: text, since: 3, nullable: true, size: 16},
		{name: "ProtocolType", kind: text, since: 5, nullable: true, size: 16},
		{name: "Protocol", kind: text, since: 5, nullable: true, size: 16},
		{name: "GroupAssignment", kind: array, size: 48, fields: []field{
			{name: "MemberID", kind: text},
			{name: "MemberAssignment", kind: blob},
		}},
	}},
	15: {name: "DescribeGroups", flexible: 5, size: 48, fields: []field{
		{name: "Groups", kind: list, size: 16, fields: []field{{kind: text}}},
		{name: "IncludeAuthorizedOperations", kind: fixed, since: 3, size: 1},
	}},
	16: {name: "ListGroups", flexible: 3, size: 64, fields: []field{
		{name: "StatesFilter", kind: list, since: 4, size: 16, fields: []field{{kind: text}}},
		{name: "TypesFilter", kind: list, since: 5, size: 16, fields: []field{{kind: text}}},
	}},
	17: {name: "SASLHandshake", flexible: never, size: 24, fields: []field{
		{name: "Mechanism", kind: text},
	}},
	18: {name: "ApiVersions", flexible: 3, size: 64, fields: []field{
		{name: "ClientSoftwareName", kind: text, since: 3},
		{name: "ClientSoftwareVersion", kind: text, since: 3},
		{name: "ClusterID", kind: text, since: 5, nullable: true, size: 16},
		{name: "NodeID", kind: fixed, since: 5, size: 4},
	}},
	19: {name: "CreateTopics", flexible: 5, size: 48, fields: []field{
		{name: "Topics", kind: array, size: 80, fields: []field{
			{name: "Topic", kind: text},
			{name: "NumPartitions ReplicationFactor", kind: fixed, size: 6},
			{name: "ReplicaAssignment", kind: array, size: 40, fields: []field{
				{name: "Partition", kind: fixed, size: 4},
				{name: "Replicas", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
			}},
			{name: "Configs", kind: array, size: 32, fields: []field{
				{name: "Name", kind: text},
				{name: "Value", kind: text, nullable: true, size: 16},
			}},
		}},
		{name: "TimeoutMillis", kind: fixed, size: 4},
		{name: "ValidateOnly", kind: fixed, since: 1, size: 1},
	}},
	20: {name: "DeleteTopics", flexible: 4, size: 72, fields: []field{
		{name: "TopicNames", kind: list, before: 6, size: 16, fields: []field{{kind: text}}},
		{name: "Topics", kind: array, since: 6, size: 32, fields: []field{
			{name: "Topic", kind: text, nullable: true, size: 16},
			{name: "TopicID", kind: fixed, size: 16},
		}},
		{name: "TimeoutMillis", kind: fixed, size: 4},
	}},
	21: {name: "DeleteRecords", flexible: 2, size: 48, fields: []field{
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 24, fields: []field{{name: "Partition Offset", kind: fixed, size: 12}}},
		}},
		{name: "TimeoutMillis", kind: fixed, size: 4},
	}},
	22: {name: "InitProducerID", flexible: 2, size: 48, fields: []field{
		{name: "TransactionalID", kind: text, nullable: true, size: 16},
		{name: "TransactionTimeoutMillis", kind: fixed, size: 4},
		{name: "ProducerID ProducerEpoch", kind: fixed, since: 3, size: 10},
	}},
	23: {name: "OffsetForLeaderEpoch", flexible: 4, size: 40, fields: []field{
		{name: "ReplicaID", kind: fixed, since: 3, size: 4},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 24, fields: []field{
				{name: "Partition", kind: fixed, size: 4},
				{name: "CurrentLeaderEpoch", kind: fixed, since: 2, size: 4},
				{name: "LeaderEpoch", kind: fixed, size: 4},
			}},
		}},
	}},
	24: {name: "AddPartitionsToTxn", flexible: 3, size: 96, fields: []field{
		{name: "TransactionalID", kind: text, before: 4},
		{name: "ProducerID ProducerEpoch", kind: fixed, before: 4, size: 10},
		{name: "Topics", kind: array, before: 4, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
		}},
		{name: "Transactions", kind: array, since: 4, size: 64, fields: []field{
			{name: "TransactionalID", kind: text},
			{name: "ProducerID ProducerEpoch VerifyOnly", kind: fixed, size: 11},
			{name: "Topics", kind: array, size: 48, fields: []field{
				{name: "Topic", kind: text},
				{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
			}},
		}},
	}},
	25: {name: "AddOffsetsToTxn", flexible: 3, size: 64, fields: []field{
		{name: "TransactionalID", kind: text},
		{name: "ProducerID ProducerEpoch", kind: fixed, size: 10},
		{name: "Group", kind: text},
	}},
	26: {name: "EndTxn", flexible: 3, size: 48, fields: []field{
		{name: "TransactionalID", kind: text},
		{name: "ProducerID ProducerEpoch Commit", kind: fixed, size: 11},
	}},
	27: {name: "WriteTxnMarkers", flexible: 1, size: 40, fields: []field{
		{name: "Markers", kind: array, size: 56, fields: []field{
			{name: "ProducerID ProducerEpoch Committed", kind: fixed, size: 11},
			{name: "Topics", kind: array, size: 48, fields: []field{
				{name: "Topic", kind: text},
				{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
			}},
			{name: "CoordinatorEpoch", kind: fixed, size: 4},
			{name: "TransactionVersion", kind: fixed, since: 2, size: 1},
		}},
	}},
	28: {name: "TxnOffsetCommit", flexible: 3, size: 112, fields: []field{
		{name: "TransactionalID", kind: text},
		{name: "Group", kind: text},
		{name: "ProducerID ProducerEpoch", kind: fixed, size: 10},
		{name: "Generation", kind: fixed, since: 3, size: 4},
		{name: "MemberID", kind: text, since: 3},
		{name: "InstanceID", kind: text, since: 3, nullable: true, size: 16},
		{name: "Topics", kind: array, size: 64, fields: []field{
			{name: "Topic", kind: text, before: 6},
			{name: "TopicID", kind: fixed, since: 6, size: 16},
			{name: "Partitions", kind: array, size: 40, fields: []field{
				{name: "Partition Offset", kind: fixed, size: 12},
				{name: "LeaderEpoch", kind: fixed, since: 2, size: 4},
				{name: "Metadata", kind: text, nullable: true, size: 16},
			}},
		}},
	}},
	29: {name: "DescribeACLs", flexible: 2, size: 56, fields: []field{
		{name: "ResourceType", kind: fixed, size: 1},
		{name: "ResourceName", kind: text, nullable: true, size: 16},
		{name: "ResourcePatternType", kind: fixed, since: 1, size: 1},
		{name: "Principal", kind: text, nullable: true, size: 16},
		{name: "Host", kind: text, nullable: true, size: 16},
		{name: "Operation PermissionType", kind: fixed, size: 2},
	}},
	30: {name: "CreateACLs", flexible: 2, size: 40, fields: []field{
		{name: "Creations", kind: array, size: 80, fields: []field{
			{name: "ResourceType", kind: fixed, size: 1},
			{name: "ResourceName", kind: text},
			{name: "ResourcePatternType", kind: fixed, since: 1, size: 1},
			{name: "Principal", kind: text},
			{name: "Host", kind: text},
			{name: "Operation PermissionType", kind: fixed, size: 2},
		}},
	}},
	31: {name: "DeleteACLs", flexible: 2, size: 40, fields: []field{
		{name: "Filters", kind: array, size: 56, fields: []field{
			{name: "ResourceType", kind: fixed, size: 1},
			{name: "ResourceName", kind: text, nullable: true, size: 16},
			{name: "ResourcePatternType", kind: fixed, since: 1, size: 1},
			{name: "Principal", kind: text, nullable: true, size: 16},
			{name: "Host", kind: text, nullable: true, size: 16},
			{name: "Operation PermissionType", kind: fixed, size: 2},
		}},
	}},
	32: {name: "DescribeConfigs", flexible: 4, size: 48, fields: []field{
		{name: "Resources", kind: array, size: 56, fields: []field{
			{name: "ResourceType", kind: fixed, size: 1},
			{name: "ResourceName", kind: text},
			{name: "ConfigNames", kind: list, nullable: true, size: 16, fields: []field{{kind: text}}},
		}},
		{name: "IncludeSynonyms", kind: fixed, since: 1, size: 1},
		{name: "IncludeDocumentation", kind: fixed, since: 3, size: 1},
	}},
	33: {name: "AlterConfigs", flexible: 2, size: 48, fields: []field{
		{name: "Resources", kind: array, size: 56, fields: []field{
			{name: "ResourceType", kind: fixed, size: 1},
			{name: "ResourceName", kind: text},
			{name: "Configs", kind: array, size: 32, fields: []field{
				{name: "Name", kind: text},
				{name: "Value", kind: text, nullable: true, size: 16},
			}},
		}},
		{name: "ValidateOnly", kind: fixed, size: 1},
	}},
	34: {name: "AlterReplicaLogDirs", flexible: 2, size: 40, fields: []field{
		{name: "Dirs", kind: array, size: 48, fields: []field{
			{name: "Dir", kind: text},
			{name: "Topics", kind: array, size: 48, fields: []field{
				{name: "Topic", kind: text},
				{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
			}},
		}},
	}},
	35: {name: "DescribeLogDirs", flexible: 2, size: 40, fields: []field{
		{name: "Topics", kind: array, nullable: true, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
		}},
	}},
}
