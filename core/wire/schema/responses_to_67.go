package schema

// responsesTo67 are the shapes of the responses with keys 36 to 67.
//
//nolint:gochecknoglobals // a table of constants; Go has no constant of such a type
var responsesTo67 = [...]message{
	36: {name: "SASLAuthenticate", flexible: 2, size: 56, fields: []field{
		{name: "ErrorCode", kind: fixed, size: 2},
		{name: "ErrorMessage", kind: text, nullable: true, size: 16},
		{name: "SASLAuthBytes", kind: blob},
		{name: "SessionLifetimeMillis", kind: fixed, since: 1, size: 8},
	}},
	37: {name: "CreatePartitions", flexible: 2, size: 40, fields: []field{
		{name: "ThrottleMillis", kind: fixed, size: 4},
		{name: "Topics", kind: array, size: 40, fields: []field{
			{name: "Topic", kind: text},
			{name: "ErrorCode", kind: fixed, size: 2},
			{name: "ErrorMessage", kind: text, nullable: true, size: 16},
		}},
	}},
	38: {name: "CreateDelegationToken", flexible: 2, size: 152, fields: []field{
		{name: "ErrorCode", kind: fixed, size: 2},
		{name: "PrincipalType", kind: text},
		{name: "PrincipalName", kind: text},
		{name: "TokenRequesterPrincipalType", kind: text, since: 3},
		{name: "TokenRequesterPrincipalName", kind: text, since: 3},
		{name: "IssueTimestamp ExpiryTimestamp MaxTimestamp", kind: fixed, size: 24},
		{name: "TokenID", kind: text},
		{name: "HMAC", kind: blob},
		{name: "ThrottleMillis", kind: fixed, size: 4},
	}},
	39: {name: "RenewDelegationToken", flexible: 2, size: 32, fields: []field{
		{name: "ErrorCode ExpiryTimestamp ThrottleMillis", kind: fixed, size: 14},
	}},
	40: {name: "ExpireDelegationToken", flexible: 2, size: 32, fields: []field{
		{name: "ErrorCode ExpiryTimestamp ThrottleMillis", kind: fixed, size: 14},
	}},
	41: {name: "DescribeDelegationToken", flexible: 2, size: 48, fields: []field{
		{name: "ErrorCode", kind: fixed, size: 2},
		{name: "TokenDetails", kind: array, size: 160, fields: []field{
			{name: "PrincipalType", kind: text},
			{name: "PrincipalName", kind: text},
			{name: "TokenRequesterPrincipalType", kind: text, since: 3},
			{name: "TokenRequesterPrincipalName", kind: text, since: 3},
			{name: "IssueTimestamp ExpiryTimestamp MaxTimestamp", kind: fixed, size: 24},
			{name: "TokenID", kind: text},
			{name: "HMAC", kind: blob},
			{name: "Renewers", kind: array, size: 40, fields: []field{
				{name: "PrincipalType", kind: text},
				{name: "PrincipalName", kind: text},
			}},
		}},
		{name: "ThrottleMillis", kind: fixed, size: 4},
	}},
	42: {name: "DeleteGroups", flexible: 2, size: 40, fields: []field{
		{name: "ThrottleMillis", kind: fixed, size: 4},
		{name: "Groups", kind: array, size: 40, fields: []field{
			{name: "Group", kind: text},
			{name: "ErrorCode", kind: fixed, size: 2},
			{name: "ErrorMessage", kind: text, since: 3, nullable: true, size: 16},
		}},
	}},
	43: {name: "ElectLeaders", flexible: 2, size: 48, fields: []field{
		{name: "ThrottleMillis", kind: fixed, size: 4},
		{name: "ErrorCode", kind: fixed, since: 1, size: 2},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 24, fields: []field{
				{name: "Partition ErrorCode", kind: fixed, size: 6},
				{name: "ErrorMessage", kind: text, nullable: true, size: 16},
			}},
		}},
	}},
	44: {name: "IncrementalAlterConfigs", flexible: 1, size: 40, fields: []field{
		{name: "ThrottleMillis", kind: fixed, size: 4},
		{name: "Resources", kind: array, size: 48, fields: []field{
			{name: "ErrorCode", kind: fixed, size: 2},
			{name: "ErrorMessage", kind: text, nullable: true, size: 16},
			{name: "ResourceType", kind: fixed, size: 1},
			{name: "ResourceName", kind: text},
		}},
	}},
	45: {name: "AlterPartitionAssignments", flexible: 0, size: 56, fields: []field{
		{name: "ThrottleMillis", kind: fixed, size: 4},
		{name: "AllowReplicationFactorChange", kind: fixed, since: 1, size: 1},
		{name: "ErrorCode", kind: fixed, size: 2},
		{name: "ErrorMessage", kind: text, nullable: true, size: 16},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 24, fields: []field{
				{name: "Partition ErrorCode", kind: fixed, size: 6},
				{name: "ErrorMessage", kind: text, nullable: true, size: 16},
			}},
		}},
	}},
	46: {name: "ListPartitionReassignments", flexible: 0, size: 56, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "ErrorMessage", kind: text, nullable: true, size: 16},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 88, fields: []field{
				{name: "Partition", kind: fixed, size: 4},
				{name: "Replicas", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
				{name: "AddingReplicas", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
				{name: "RemovingReplicas", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
			}},
		}},
	}},
	47: {name: "OffsetDelete", flexible: never, size: 32, fields: []field{
		{name: "ErrorCode ThrottleMillis", kind: fixed, size: 6},
		{name: "Topics", kind: array, size: 40, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 8, fields: []field{{name: "Partition ErrorCode", kind: fixed, size: 6}}},
		}},
	}},
	48: {name: "DescribeClientQuotas", flexible: 1, size: 56, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "ErrorMessage", kind: text, nullable: true, size: 16},
		{name: "Entries", kind: array, nullable: true, size: 56, fields: []field{
			{name: "Entity", kind: array, size: 32, fields: []field{
				{name: "Type", kind: text},
				{name: "Name", kind: text, nullable: true, size: 16},
			}},
			{name: "Values", kind: array, size: 32, fields: []field{
				{name: "Key", kind: text},
				{name: "Value", kind: fixed, size: 8},
			}},
		}},
	}},
	49: {name: "AlterClientQuotas", flexible: 1, size: 40, fields: []field{
		{name: "ThrottleMillis", kind: fixed, size: 4},
		{name: "Entries", kind: array, size: 48, fields: []field{
			{name: "ErrorCode", kind: fixed, size: 2},
			{name: "ErrorMessage", kind: text, nullable: true, size: 16},
			{name: "Entity", kind: array, size: 32, fields: []field{
				{name: "Type", kind: text},
				{name: "Name", kind: text, nullable: true, size: 16},
			}},
		}},
	}},
	50: {name: "DescribeUserSCRAMCredentials", flexible: 0, size: 56, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "ErrorMessage", kind: text, nullable: true, size: 16},
		{name: "Results", kind: array, size: 64, fields: []field{
			{name: "User", kind: text},
			{name: "ErrorCode", kind: fixed, size: 2},
			{name: "ErrorMessage", kind: text, nullable: true, size: 16},
			{name: "CredentialInfos", kind: array, size: 16, fields: []field{{name: "Mechanism Iterations", kind: fixed, size: 5}}},
		}},
	}},
	51: {name: "AlterUserSCRAMCredentials", flexible: 0, size: 40, fields: []field{
		{name: "ThrottleMillis", kind: fixed, size: 4},
		{name: "Results", kind: array, size: 40, fields: []field{
			{name: "User", kind: text},
			{name: "ErrorCode", kind: fixed, size: 2},
			{name: "ErrorMessage", kind: text, nullable: true, size: 16},
		}},
	}},
	52: {name: "Vote", flexible: 0, size: 64, fields: []field{
		{name: "ErrorCode", kind: fixed, size: 2},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 32, fields: []field{{name: "Partition ErrorCode LeaderID LeaderEpoch VoteGranted", kind: fixed, size: 15}}},
		}},
		{name: "NodeEndpoints", kind: array, tagged: true, tag: 0, size: 40, fields: []field{
			{name: "NodeID", kind: fixed, since: 1, size: 4},
			{name: "Host", kind: text, since: 1},
			{name: "Port", kind: fixed, since: 1, size: 2},
		}},
	}},
	53: {name: "BeginQuorumEpoch", flexible: 1, size: 64, fields: []field{
		{name: "ErrorCode", kind: fixed, size: 2},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 24, fields: []field{{name: "Partition ErrorCode LeaderID LeaderEpoch", kind: fixed, size: 14}}},
		}},
		{name: "NodeEndpoints", kind: array, tagged: true, tag: 0, size: 40, fields: []field{
			{name: "NodeID", kind: fixed, since: 1, size: 4},
			{name: "Host", kind: text, since: 1},
			{name: "Port", kind: fixed, since: 1, size: 2},
		}},
	}},
	54: {name: "EndQuorumEpoch", flexible: 1, size: 64, fields: []field{
		{name: "ErrorCode", kind: fixed, size: 2},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 24, fields: []field{{name: "Partition ErrorCode LeaderID LeaderEpoch", kind: fixed, size: 14}}},
		}},
		{name: "NodeEndpoints", kind: array, tagged: true, tag: 0, size: 40, fields: []field{
			{name: "NodeID", kind: fixed, since: 1, size: 4},
			{name: "Host", kind: text, since: 1},
			{name: "Port", kind: fixed, since: 1, size: 2},
		}},
	}},
	55: {name: "DescribeQuorum", flexible: 0, size: 72, fields: []field{
		{name: "ErrorCode", kind: fixed, size: 2},
		{name: "ErrorMessage", kind: text, since: 2, nullable: true, size: 16},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 88, fields: []field{
				{name: "Partition ErrorCode", kind: fixed, size: 6},
				{name: "ErrorMessage", kind: text, since: 2, nullable: true, size: 16},
				{name: "LeaderID LeaderEpoch HighWatermark", kind: fixed, size: 16},
				{name: "CurrentVoters", kind: array, size: 56, fields: []field{
					{name: "ReplicaID", kind: fixed, size: 4},
					{name: "ReplicaDirectoryID", kind: fixed, since: 2, size: 16},
					{name: "LogEndOffset", kind: fixed, size: 8},
					{name: "LastFetchTimestamp LastCaughtUpTimestamp", kind: fixed, since: 1, size: 16},
				}},
				{name: "Observers", kind: array, size: 56, fields: []field{
					{name: "ReplicaID", kind: fixed, size: 4},
					{name: "ReplicaDirectoryID", kind: fixed, since: 2, size: 16},
					{name: "LogEndOffset", kind: fixed, size: 8},
					{name: "LastFetchTimestamp LastCaughtUpTimestamp", kind: fixed, since: 1, size: 16},
				}},
			}},
		}},
		{name: "Nodes", kind: array, since: 2, size: 40, fields: []field{
			{name: "NodeID", kind: fixed, size: 4},
			{name: "Listeners", kind: array, size: 48, fields: []field{
				{name: "Name", kind: text},
				{name: "Host", kind: text},
				{name: "Port", kind: fixed, size: 2},
			}},
		}},
	}},
	56: {name: "AlterPartition", flexible: 0, size: 48, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "Topics", kind: array, size: 64, fields: []field{
			{name: "Topic", kind: text, before: 2},
			{name: "TopidID", kind: fixed, since: 2, size: 16},
			{name: "Partitions", kind: array, size: 56, fields: []field{
				{name: "Partition ErrorCode LeaderID LeaderEpoch", kind: fixed, size: 14},
				{name: "ISR", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
				{name: "LeaderRecoveryState", kind: fixed, since: 1, size: 1},
				{name: "PartitionEpoch", kind: fixed, size: 4},
			}},
		}},
	}},
	57: {name: "UpdateFeatures", flexible: 0, size: 56, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "ErrorMessage", kind: text, nullable: true, size: 16},
		{name: "Results", kind: array, before: 2, size: 40, fields: []field{
			{name: "Feature", kind: text},
			{name: "ErrorCode", kind: fixed, size: 2},
			{name: "ErrorMessage", kind: text, nullable: true, size: 16},
		}},
	}},
	58: {name: "Envelope", flexible: 0, size: 48, fields: []field{
		{name: "ResponseData", kind: blob, nullable: true},
		{name: "ErrorCode", kind: fixed, size: 2},
	}},
	59: {name: "FetchSnapshot", flexible: 0, size: 72, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 96, fields: []field{
				{name: "Partition ErrorCode", kind: fixed, size: 6},
				{name: "SnapshotID", kind: group, fields: []field{{name: "EndOffset Epoch", kind: fixed, size: 12}}},
				{name: "Size Position", kind: fixed, size: 16},
				{name: "Bytes", kind: blob},
				{name: "CurrentLeader", kind: group, tagged: true, tag: 0, fields: []field{{name: "LeaderID LeaderEpoch", kind: fixed, size: 8}}},
			}},
		}},
		{name: "NodeEndpoints", kind: array, tagged: true, tag: 0, size: 40, fields: []field{
			{name: "NodeID", kind: fixed, since: 1, size: 4},
			{name: "Host", kind: text, since: 1},
			{name: "Port", kind: fixed, since: 1, size: 2},
		}},
	}},
	60: {name: "DescribeCluster", flexible: 0, size: 96, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "ErrorMessage", kind: text, nullable: true, size: 16},
		{name: "EndpointType", kind: fixed, since: 1, size: 1},
		{name: "ClusterID", kind: text},
		{name: "ControllerID", kind: fixed, size: 4},
		{name: "Brokers", kind: array, size: 56, fields: []field{
			{name: "NodeID", kind: fixed, size: 4},
			{name: "Host", kind: text},
			{name: "Port", kind: fixed, size: 4},
			{name: "Rack", kind: text, nullable: true, size: 16},
			{name: "IsFenced", kind: fixed, since: 2, size: 1},
		}},
		{name: "ClusterAuthorizedOperations", kind: fixed, size: 4},
	}},
	61: {name: "DescribeProducers", flexible: 0, size: 40, fields: []field{
		{name: "ThrottleMillis", kind: fixed, size: 4},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 48, fields: []field{
				{name: "Partition ErrorCode", kind: fixed, size: 6},
				{name: "ErrorMessage", kind: text, nullable: true, size: 16},
				{name: "ActiveProducers", kind: array, size: 48, fields: []field{{name: "ProducerID ProducerEpoch LastSequence LastTimestamp CoordinatorEpoch CurrentTxnStartOffset", kind: fixed, size: 36}}},
			}},
		}},
	}},
	62: {name: "BrokerRegistration", flexible: 0, size: 32, fields: []field{
		{name: "ThrottleMillis ErrorCode BrokerEpoch", kind: fixed, size: 14},
	}},
	63: {name: "BrokerHeartbeat", flexible: 0, size: 24, fields: []field{
		{name: "ThrottleMillis ErrorCode IsCaughtUp IsFenced ShouldShutdown", kind: fixed, size: 9},
	}},
	64: {name: "UnregisterBroker", flexible: 0, size: 32, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "ErrorMessage", kind: text, nullable: true, size: 16},
	}},
	65: {name: "DescribeTransactions", flexible: 0, size: 40, fields: []field{
		{name: "ThrottleMillis", kind: fixed, size: 4},
		{name: "TransactionStates", kind: array, size: 104, fields: []field{
			{name: "ErrorCode", kind: fixed, size: 2},
			{name: "TransactionalID", kind: text},
			{name: "State", kind: text},
			{name: "TimeoutMillis StartTimestamp ProducerID ProducerEpoch", kind: fixed, size: 22},
			{name: "Topics", kind: array, size: 48, fields: []field{
				{name: "Topic", kind: text},
				{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
			}},
		}},
	}},
	66: {name: "ListTransactions", flexible: 0, size: 72, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "UnknownStateFilters", kind: list, size: 16, fields: []field{{kind: text}}},
		{name: "TransactionStates", kind: array, size: 48, fields: []field{
			{name: "TransactionalID", kind: text},
			{name: "ProducerID", kind: fixed, size: 8},
			{name: "TransactionState", kind: text},
		}},
	}},
	67: {name: "AllocateProducerIDs", flexible: 0, size: 40, fields: []field{
		{name: "ThrottleMillis ErrorCode ProducerIDStart ProducerIDLen", kind: fixed, size: 18},
	}},
}
