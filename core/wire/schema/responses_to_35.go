package schema

// responsesTo35 are the shapes of the responses with keys 0 to 35.
//
//nolint:gochecknoglobals // a table of constants; Go has no constant of such a type
var responsesTo35 = [...]message{
	0: {name: "Produce", flexible: 9, size: 72, fields: []field{
		{name: "Topics", kind: array, size: 64, fields: []field{
			{name: "Topic", kind: text, before: 13},
			{name: "TopicID", kind: fixed, since: 13, size: 16},
			{name: "Partitions", kind: array, size: 88, fields: []field{
				{name: "Partition ErrorCode BaseOffset", kind: fixed, size: 14},
				{name: "LogAppendTime", kind: fixed, since: 2, size: 8},
				{name: "LogStartOffset", kind: fixed, since: 5, size: 8},
				{name: "ErrorRecords", kind: array, since: 8, size: 24, fields: []field{
					{name: "RelativeOffset", kind: fixed, size: 4},
					{name: "ErrorMessage", kind: text, nullable: true, size: 16},
				}},
				{name: "ErrorMessage", kind: text, since: 8, nullable: true, size: 16},
				{name: "CurrentLeader", kind: group, tagged: true, tag: 0, fields: []field{{name: "LeaderID LeaderEpoch", kind: fixed, size: 8}}},
			}},
		}},
		{name: "ThrottleMillis", kind: fixed, since: 1, size: 4},
		{name: "Brokers", kind: array, tagged: true, tag: 0, size: 48, fields: []field{
			{name: "NodeID", kind: fixed, size: 4},
			{name: "Host", kind: text},
			{name: "Port", kind: fixed, size: 4},
			{name: "Rack", kind: text, nullable: true, size: 16},
		}},
	}},
	1: {name: "Fetch", flexible: 12, size: 72, fields: []field{
		{name: "ThrottleMillis", kind: fixed, since: 1, size: 4},
		{name: "ErrorCode SessionID", kind: fixed, since: 7, size: 6},
		{name: "Topics", kind: array, nullable: true, size: 64, fields: []field{
			{name: "Topic", kind: text, before: 13},
			{name: "TopicID", kind: fixed, since: 13, size: 16},
			{name: "Partitions", kind: array, nullable: true, size: 160, fields: []field{
				{name: "Partition ErrorCode HighWatermark", kind: fixed, size: 14},
				{name: "LastStableOffset", kind: fixed, since: 4, size: 8},
				{name: "LogStartOffset", kind: fixed, since: 5, size: 8},
				{name: "AbortedTransactions", kind: array, since: 4, nullable: true, size: 24, fields: []field{{name: "ProducerID FirstOffset", kind: fixed, size: 16}}},
				{name: "PreferredReadReplica", kind: fixed, since: 11, size: 4},
				{name: "RecordBatches", kind: blob, nullable: true},
				{name: "DivergingEpoch", kind: group, tagged: true, tag: 0, fields: []field{{name: "Epoch EndOffset", kind: fixed, size: 12}}},
				{name: "CurrentLeader", kind: group, tagged: true, tag: 1, fields: []field{{name: "LeaderID LeaderEpoch", kind: fixed, size: 8}}},
				{name: "SnapshotID", kind: group, tagged: true, tag: 2, fields: []field{{name: "EndOffset Epoch", kind: fixed, size: 12}}},
			}},
		}},
		{name: "Brokers", kind: array, tagged: true, tag: 0, size: 48, fields: []field{
			{name: "NodeID", kind: fixed, size: 4},
			{name: "Host", kind: text},
			{name: "Port", kind: fixed, size: 4},
			{name: "Rack", kind: text, nullable: true, size: 16},
		}},
	}},
	2: {name: "ListOffsets", flexible: 6, size: 40, fields: []field{
		{name: "ThrottleMillis", kind: fixed, since: 2, size: 4},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 64, fields: []field{
				{name: "Partition ErrorCode", kind: fixed, size: 6},
				{name: "OldStyleOffsets", kind: list, before: 1, size: 8, fields: []field{{kind: fixed, size: 8}}},
				{name: "Timestamp Offset", kind: fixed, since: 1, size: 16},
				{name: "LeaderEpoch", kind: fixed, since: 4, size: 4},
			}},
		}},
	}},
	3: {name: "Metadata", flexible: 9, size: 88, fields: []field{
		{name: "ThrottleMillis", kind: fixed, since: 3, size: 4},
		{name: "Brokers", kind: array, size: 48, fields: []field{
			{name: "NodeID", kind: fixed, size: 4},
			{name: "Host", kind: text},
			{name: "Port", kind: fixed, size: 4},
			{name: "Rack", kind: text, since: 1, nullable: true, size: 16},
		}},
		{name: "ClusterID", kind: text, since: 2, nullable: true, size: 16},
		{name: "ControllerID", kind: fixed, since: 1, size: 4},
		{name: "Topics", kind: array, size: 80, fields: []field{
			{name: "ErrorCode", kind: fixed, size: 2},
			{name: "Topic", kind: text, nullable: true, nullSince: 12, size: 16},
			{name: "TopicID", kind: fixed, since: 10, size: 16},
			{name: "IsInternal", kind: fixed, since: 1, size: 1},
			{name: "Partitions", kind: array, size: 96, fields: []field{
				{name: "ErrorCode Partition Leader", kind: fixed, size: 10},
				{name: "LeaderEpoch", kind: fixed, since: 7, size: 4},
				{name: "Replicas", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
				{name: "ISR", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
				{name: "OfflineReplicas", kind: list, since: 5, size: 4, fields: []field{{kind: fixed, size: 4}}},
			}},
			{name: "AuthorizedOperations", kind: fixed, since: 8, size: 4},
		}},
		{name: "AuthorizedOperations", kind: fixed, since: 8, before: 11, size: 4},
		{name: "ErrorCode", kind: fixed, since: 13, size: 2},
	}},
	8: {name: "OffsetCommit", flexible: 8, size: 40, fields: []field{
		{name: "ThrottleMillis", kind: fixed, since: 3, size: 4},
		{name: "Topics", kind: array, size: 64, fields: []field{
			{name: "Topic", kind: text, before: 10},
			{name: "TopicID", kind: fixed, since: 10, size: 16},
			{name: "Partitions", kind: array, size: 16, fields: []field{{name: "Partition ErrorCode", kind: fixed, size: 6}}},
		}},
	}},
	9: {name: "OffsetFetch", flexible: 6, size: 72, fields: []field{
		{name: "ThrottleMillis", kind: fixed, since: 3, size: 4},
		{name: "Topics", kind: array, before: 8, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 48, fields: []field{
				{name: "Partition Offset", kind: fixed, size: 12},
				{name: "LeaderEpoch", kind: fixed, since: 5, size: 4},
				{name: "Metadata", kind: text, nullable: true, size: 16},
				{name: "ErrorCode", kind: fixed, size: 2},
			}},
		}},
		{name: "ErrorCode", kind: fixed, since: 2, before: 8, size: 2},
		{name: "Groups", kind: array, since: 8, size: 56, fields: []field{
			{name: "Group", kind: text},
			{name: "Topics", kind: array, size: 64, fields: []field{
				{name: "Topic", kind: text, since: 8, before: 10},
				{name: "TopicID", kind: fixed, since: 10, size: 16},
				{name: "Partitions", kind: array, size: 48, fields: []field{
					{name: "Partition Offset LeaderEpoch", kind: fixed, size: 16},
					{name: "Metadata", kind: text, nullable: true, size: 16},
					{name: "ErrorCode", kind: fixed, size: 2},
				}},
			}},
			{name: "ErrorCode", kind: fixed, size: 2},
		}},
	}},
	10: {name: "FindCoordinator", flexible: 3, size: 88, fields: []field{
		{name: "ThrottleMillis", kind: fixed, since: 1, size: 4},
		{name: "ErrorCode", kind: fixed, before: 4, size: 2},
		{name: "ErrorMessage", kind: text, since: 1, before: 4, nullable: true, size: 16},
		{name: "NodeID", kind: fixed, before: 4, size: 4},
		{name: "Host", kind: text, before: 4},
		{name: "Port", kind: fixed, before: 4, size: 4},
		{name: "Coordinators", kind: array, since: 4, size: 64, fields: []field{
			{name: "Key", kind: text},
			{name: "NodeID", kind: fixed, size: 4},
			{name: "Host", kind: text},
			{name: "Port ErrorCode", kind: fixed, size: 6},
			{name: "ErrorMessage", kind: text, nullable: true, size: 16},
		}},
	}},
	11: {name: "JoinGroup", flexible: 6, size: 104, fields: []field{
		{name: "ThrottleMillis", kind: fixed, since: 2, size: 4},
		{name: "ErrorCode Generation", kind: fixed, size: 6},
		{name: "ProtocolType", kind: text, since: 7, nullable: true, size: 16},
		{name: "Protocol", kind: text, nullable: true, nullSince: 7, size: 16},
		{name: "LeaderID", kind: text},
		{name: "SkipAssignment", kind: fixed, since: 9, size: 1},
		{name: "MemberID", kind: text},
		{name: "Members", kind: array, size: 56, fields: []field{
			{name: "MemberID", kind: text},
			{name: "InstanceID", kind: text, since: 5, nullable: true, size: 16},
			{name: "ProtocolMetadata", kind: blob},
		}},
	}},
	12: {name: "Heartbeat", flexible: 4, size: 24, fields: []field{
		{name: "ThrottleMillis", kind: fixed, since: 1, size: 4},
		{name: "ErrorCode", kind: fixed, size: 2},
	}},
	13: {name: "LeaveGroup", flexible: 4, size: 48, fields: []field{
		{name: "ThrottleMillis", kind: fixed, since: 1, size: 4},
		{name: "ErrorCode", kind: fixed, size: 2},
		{name: "Members", kind: array, since: 3, size: 40, fields: []field{
			{name: "MemberID", kind: text},
			{name: "InstanceID", kind: text, nullable: true, size: 16},
			{name: "ErrorCode", kind: fixed, size: 2},
		}},
	}},
	14: {name: "SyncGroup", flexible: 4, size: 64, fields: []field{
		{name: "ThrottleMillis", kind: fixed, since: 1, size: 4},
		{name: "ErrorCode", kind: fixed, size: 2},
		{name: "ProtocolType", kind: text, since: 5, nullable: true, size: 16},
		{name: "Protocol", kind: text, since: 5, nullable: true, size: 16},
		{name: "MemberAssignment", kind: blob},
	}},
	15: {name: "DescribeGroups", flexible: 5, size: 40, fields: []field{
		{name: "ThrottleMillis", kind: fixed, since: 1, size: 4},
		{name: "Groups", kind: array, size: 120, fields: []field{
			{name: "ErrorCode", kind: fixed, size: 2},
			{name: "ErrorMessage", kind: text, since: 6, nullable: true, size: 16},
			{name: "Group", kind: text},
			{name: "State", kind: text},
			{name: "ProtocolType", kind: text},
			{name: "Protocol", kind: text},
			{name: "Members", kind: array, size: 112, fields: []field{
				{name: "MemberID", kind: text},
				{name: "InstanceID", kind: text, since: 4, nullable: true, size: 16},
				{name: "ClientID", kind: text},
				{name: "ClientHost", kind: text},
				{name: "ProtocolMetadata", kind: blob},
				{name: "MemberAssignment", kind: blob},
			}},
			{name: "AuthorizedOperations", kind: fixed, since: 3, size: 4},
		}},
	}},
	16: {name: "ListGroups", flexible: 3, size: 48, fields: []field{
		{name: "ThrottleMillis", kind: fixed, since: 1, size: 4},
		{name: "ErrorCode", kind: fixed, size: 2},
		{name: "Groups", kind: array, size: 72, fields: []field{
			{name: "Group", kind: text},
			{name: "ProtocolType", kind: text},
			{name: "GroupState", kind: text, since: 4},
			{name: "GroupType", kind: text, since: 5},
		}},
	}},
	17: {name: "SASLHandshake", flexible: never, size: 32, fields: []field{
		{name: "ErrorCode", kind: fixed, size: 2},
		{name: "SupportedMechanisms", kind: list, size: 16, fields: []field{{kind: text}}},
	}},
	18: {name: "ApiVersions", flexible: 3, size: 112, fields: []field{
		{name: "ErrorCode", kind: fixed, size: 2},
		{name: "ApiKeys", kind: array, size: 16, fields: []field{{name: "ApiKey MinVersion MaxVersion", kind: fixed, size: 6}}},
		{name: "ThrottleMillis", kind: fixed, since: 1, size: 4},
		{name: "SupportedFeatures", kind: array, tagged: true, tag: 0, size: 32, fields: []field{
			{name: "Name", kind: text},
			{name: "MinVersion MaxVersion", kind: fixed, size: 4},
		}},
		{name: "FinalizedFeaturesEpoch", kind: fixed, tagged: true, tag: 1, size: 8},
		{name: "FinalizedFeatures", kind: array, tagged: true, tag: 2, size: 32, fields: []field{
			{name: "Name", kind: text},
			{name: "MaxVersionLevel MinVersionLevel", kind: fixed, size: 4},
		}},
		{name: "ZkMigrationReady", kind: fixed, tagged: true, tag: 3, size: 1},
	}},
	19: {name: "CreateTopics", flexible: 5, size: 40, fields: []field{
		{name: "ThrottleMillis", kind: fixed, since: 2, size: 4},
		{name: "Topics", kind: array, nullable: true, size: 96, fields: []field{
			{name: "Topic", kind: text},
			{name: "TopicID", kind: fixed, since: 7, size: 16},
			{name: "ErrorCode", kind: fixed, size: 2},
			{name: "ErrorMessage", kind: text, since: 1, nullable: true, size: 16},
			{name: "NumPartitions ReplicationFactor", kind: fixed, since: 5, size: 6},
			{name: "Configs", kind: array, since: 5, nullable: true, size: 40, fields: []field{
				{name: "Name", kind: text},
				{name: "Value", kind: text, nullable: true, size: 16},
				{name: "ReadOnly Source IsSensitive", kind: fixed, size: 3},
			}},
			{name: "ConfigErrorCode", kind: fixed, tagged: true, tag: 0, size: 2},
		}},
	}},
	20: {name: "DeleteTopics", flexible: 4, size: 40, fields: []field{
		{name: "ThrottleMillis", kind: fixed, since: 1, size: 4},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "Topic", kind: text, nullable: true, nullSince: 6, size: 16},
			{name: "TopicID", kind: fixed, since: 6, size: 16},
			{name: "ErrorCode", kind: fixed, size: 2},
			{name: "ErrorMessage", kind: text, since: 5, nullable: true, size: 16},
		}},
	}},
	21: {name: "DeleteRecords", flexible: 2, size: 40, fields: []field{
		{name: "ThrottleMillis", kind: fixed, size: 4},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 32, fields: []field{{name: "Partition LowWatermark ErrorCode", kind: fixed, size: 14}}},
		}},
	}},
	22: {name: "InitProducerID", flexible: 2, size: 40, fields: []field{
		{name: "ThrottleMillis ErrorCode ProducerID ProducerEpoch", kind: fixed, size: 16},
	}},
	23: {name: "OffsetForLeaderEpoch", flexible: 4, size: 40, fields: []field{
		{name: "ThrottleMillis", kind: fixed, since: 2, size: 4},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 32, fields: []field{
				{name: "ErrorCode Partition", kind: fixed, size: 6},
				{name: "LeaderEpoch", kind: fixed, since: 1, size: 4},
				{name: "EndOffset", kind: fixed, size: 8},
			}},
		}},
	}},
	24: {name: "AddPartitionsToTxn", flexible: 3, size: 72, fields: []field{
		{name: "ThrottleMillis", kind: fixed, size: 4},
		{name: "ErrorCode", kind: fixed, since: 4, size: 2},
		{name: "Transactions", kind: array, since: 4, size: 48, fields: []field{
			{name: "TransactionalID", kind: text},
			{name: "Topics", kind: array, size: 48, fields: []field{
				{name: "Topic", kind: text},
				{name: "Partitions", kind: array, size: 16, fields: []field{{name: "Partition ErrorCode", kind: fixed, size: 6}}},
			}},
		}},
		{name: "Topics", kind: array, before: 4, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 16, fields: []field{{name: "Partition ErrorCode", kind: fixed, size: 6}}},
		}},
	}},
	25: {name: "AddOffsetsToTxn", flexible: 3, size: 24, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
	}},
	26: {name: "EndTxn", flexible: 3, size: 40, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "ProducerID ProducerEpoch", kind: fixed, since: 5, size: 10},
	}},
	27: {name: "WriteTxnMarkers", flexible: 1, size: 40, fields: []field{
		{name: "Markers", kind: array, size: 40, fields: []field{
			{name: "ProducerID", kind: fixed, size: 8},
			{name: "Topics", kind: array, size: 48, fields: []field{
				{name: "Topic", kind: text},
				{name: "Partitions", kind: array, size: 16, fields: []field{{name: "Partition ErrorCode", kind: fixed, size: 6}}},
			}},
		}},
	}},
	28: {name: "TxnOffsetCommit", flexible: 3, size: 40, fields: []field{
		{name: "ThrottleMillis", kind: fixed, size: 4},
		{name: "Topics", kind: array, size: 64, fields: []field{
			{name: "Topic", kind: text, before: 6},
			{name: "TopicID", kind: fixed, since: 6, size: 16},
			{name: "Partitions", kind: array, size: 16, fields: []field{{name: "Partition ErrorCode", kind: fixed, size: 6}}},
		}},
	}},
	29: {name: "DescribeACLs", flexible: 2, size: 56, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "ErrorMessage", kind: text, nullable: true, size: 16},
		{name: "Resources", kind: array, size: 64, fields: []field{
			{name: "ResourceType", kind: fixed, size: 1},
			{name: "ResourceName", kind: text},
			{name: "ResourcePatternType", kind: fixed, since: 1, size: 1},
			{name: "ACLs", kind: array, size: 48, fields: []field{
				{name: "Principal", kind: text},
				{name: "Host", kind: text},
				{name: "Operation PermissionType", kind: fixed, size: 2},
			}},
		}},
	}},
	30: {name: "CreateACLs", flexible: 2, size: 40, fields: []field{
		{name: "ThrottleMillis", kind: fixed, size: 4},
		{name: "Results", kind: array, size: 24, fields: []field{
			{name: "ErrorCode", kind: fixed, size: 2},
			{name: "ErrorMessage", kind: text, nullable: true, size: 16},
		}},
	}},
	31: {name: "DeleteACLs", flexible: 2, size: 40, fields: []field{
		{name: "ThrottleMillis", kind: fixed, size: 4},
		{name: "Results", kind: array, size: 48, fields: []field{
			{name: "ErrorCode", kind: fixed, size: 2},
			{name: "ErrorMessage", kind: text, nullable: true, size: 16},
			{name: "MatchingACLs", kind: array, size: 96, fields: []field{
				{name: "ErrorCode", kind: fixed, size: 2},
				{name: "ErrorMessage", kind: text, nullable: true, size: 16},
				{name: "ResourceType", kind: fixed, size: 1},
				{name: "ResourceName", kind: text},
				{name: "ResourcePatternType", kind: fixed, since: 1, size: 1},
				{name: "Principal", kind: text},
				{name: "Host", kind: text},
				{name: "Operation PermissionType", kind: fixed, size: 2},
			}},
		}},
	}},
	32: {name: "DescribeConfigs", flexible: 4, size: 40, fields: []field{
		{name: "ThrottleMillis", kind: fixed, size: 4},
		{name: "Resources", kind: array, size: 72, fields: []field{
			{name: "ErrorCode", kind: fixed, size: 2},
			{name: "ErrorMessage", kind: text, nullable: true, size: 16},
			{name: "ResourceType", kind: fixed, size: 1},
			{name: "ResourceName", kind: text},
			{name: "Configs", kind: array, size: 80, fields: []field{
				{name: "Name", kind: text},
				{name: "Value", kind: text, nullable: true, size: 16},
				{name: "ReadOnly", kind: fixed, size: 1},
				{name: "IsDefault", kind: fixed, before: 1, size: 1},
				{name: "Source", kind: fixed, since: 1, size: 1},
				{name: "IsSensitive", kind: fixed, size: 1},
				{name: "ConfigSynonyms", kind: array, since: 1, size: 40, fields: []field{
					{name: "Name", kind: text},
					{name: "Value", kind: text, nullable: true, size: 16},
					{name: "Source", kind: fixed, size: 1},
				}},
				{name: "ConfigType", kind: fixed, since: 3, size: 1},
				{name: "Documentation", kind: text, since: 3, nullable: true, size: 16},
			}},
		}},
	}},
	33: {name: "AlterConfigs", flexible: 2, size: 40, fields: []field{
		{name: "ThrottleMillis", kind: fixed, size: 4},
		{name: "Resources", kind: array, size: 48, fields: []field{
			{name: "ErrorCode", kind: fixed, size: 2},
			{name: "ErrorMessage", kind: text, nullable: true, size: 16},
			{name: "ResourceType", kind: fixed, size: 1},
			{name: "ResourceName", kind: text},
		}},
	}},
	34: {name: "AlterReplicaLogDirs", flexible: 2, size: 40, fields: []field{
		{name: "ThrottleMillis", kind: fixed, size: 4},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 16, fields: []field{{name: "Partition ErrorCode", kind: fixed, size: 6}}},
		}},
	}},
	35: {name: "DescribeLogDirs", flexible: 2, size: 48, fields: []field{
		{name: "ThrottleMillis", kind: fixed, size: 4},
		{name: "ErrorCode", kind: fixed, since: 3, size: 2},
		{name: "Dirs", kind: array, size: 80, fields: []field{
			{name: "ErrorCode", kind: fixed, size: 2},
			{name: "Dir", kind: text},
			{name: "Topics", kind: array, size: 48, fields: []field{
				{name: "Topic", kind: text},
				{name: "Partitions", kind: array, size: 40, fields: []field{{name: "Partition Size OffsetLag IsFuture", kind: fixed, size: 21}}},
			}},
			{name: "TotalBytes UsableBytes", kind: fixed, since: 4, size: 16},
			{name: "IsCordoned", kind: fixed, since: 5, size: 1},
		}},
	}},
}
