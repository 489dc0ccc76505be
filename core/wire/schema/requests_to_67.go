package schema

// requestsTo67 are the shapes of the requests with keys 36 to 67.
//
//nolint:gochecknoglobals // a table of constants; Go has no constant of such a type
var requestsTo67 = [...]message{
	36: {name: "SASLAuthenticate", flexible: 2, size: 40, fields: []field{
		{name: "SASLAuthBytes", kind: blob},
	}},
	37: {name: "CreatePartitions", flexible: 2, size: 48, fields: []field{
		{name: "Topics", kind: array, size: 56, fields: []field{
			{name: "Topic", kind: text},
			{name: "Count", kind: fixed, size: 4},
			{name: "Assignment", kind: array, nullable: true, size: 32, fields: []field{
				{name: "Replicas", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
			}},
		}},
		{name: "TimeoutMillis ValidateOnly", kind: fixed, size: 5},
	}},
	38: {name: "CreateDelegationToken", flexible: 2, size: 64, fields: []field{
		{name: "OwnerPrincipalType", kind: text, since: 3, nullable: true, size: 16},
		{name: "OwnerPrincipalName", kind: text, since: 3, nullable: true, size: 16},
		{name: "Renewers", kind: array, size: 40, fields: []field{
			{name: "PrincipalType", kind: text},
			{name: "PrincipalName", kind: text},
		}},
		{name: "MaxLifetimeMillis", kind: fixed, size: 8},
	}},
	39: {name: "RenewDelegationToken", flexible: 2, size: 48, fields: []field{
		{name: "HMAC", kind: blob},
		{name: "RenewTimeMillis", kind: fixed, size: 8},
	}},
	40: {name: "ExpireDelegationToken", flexible: 2, size: 48, fields: []field{
		{name: "HMAC", kind: blob},
		{name: "ExpiryPeriodMillis", kind: fixed, size: 8},
	}},
	41: {name: "DescribeDelegationToken", flexible: 2, size: 40, fields: []field{
		{name: "Owners", kind: array, nullable: true, size: 40, fields: []field{
			{name: "PrincipalType", kind: text},
			{name: "PrincipalName", kind: text},
		}},
	}},
	42: {name: "DeleteGroups", flexible: 2, size: 40, fields: []field{
		{name: "Groups", kind: list, size: 16, fields: []field{{kind: text}}},
	}},
	43: {name: "ElectLeaders", flexible: 2, size: 48, fields: []field{
		{name: "ElectionType", kind: fixed, since: 1, size: 1},
		{name: "Topics", kind: array, nullable: true, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
		}},
		{name: "TimeoutMillis", kind: fixed, size: 4},
	}},
	44: {name: "IncrementalAlterConfigs", flexible: 1, size: 48, fields: []field{
		{name: "Resources", kind: array, size: 56, fields: []field{
			{name: "ResourceType", kind: fixed, size: 1},
			{name: "ResourceName", kind: text},
			{name: "Configs", kind: array, size: 40, fields: []field{
				{name: "Name", kind: text},
				{name: "Op", kind: fixed, size: 1},
				{name: "Value", kind: text, nullable: true, size: 16},
			}},
		}},
		{name: "ValidateOnly", kind: fixed, size: 1},
	}},
	45: {name: "AlterPartitionAssignments", flexible: 0, size: 48, fields: []field{
		{name: "TimeoutMillis", kind: fixed, size: 4},
		{name: "AllowReplicationFactorChange", kind: fixed, since: 1, size: 1},
		{name: "Topics", kind: array, nullable: true, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, nullable: true, size: 40, fields: []field{
				{name: "Partition", kind: fixed, size: 4},
				{name: "Replicas", kind: list, nullable: true, size: 4, fields: []field{{kind: fixed, size: 4}}},
			}},
		}},
	}},
	46: {name: "ListPartitionReassignments", flexible: 0, size: 40, fields: []field{
		{name: "TimeoutMillis", kind: fixed, size: 4},
		{name: "Topics", kind: array, nullable: true, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
		}},
	}},
	47: {name: "OffsetDelete", flexible: never, size: 48, fields: []field{
		{name: "Group", kind: text},
		{name: "Topics", kind: array, size: 40, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 4, fields: []field{{name: "Partition", kind: fixed, size: 4}}},
		}},
	}},
	48: {name: "DescribeClientQuotas", flexible: 1, size: 48, fields: []field{
		{name: "Components", kind: array, size: 40, fields: []field{
			{name: "EntityType", kind: text},
			{name: "MatchType", kind: fixed, size: 1},
			{name: "Match", kind: text, nullable: true, size: 16},
		}},
		{name: "Strict", kind: fixed, size: 1},
	}},
	49: {name: "AlterClientQuotas", flexible: 1, size: 48, fields: []field{
		{name: "Entries", kind: array, size: 56, fields: []field{
			{name: "Entity", kind: array, size: 32, fields: []field{
				{name: "Type", kind: text},
				{name: "Name", kind: text, nullable: true, size: 16},
			}},
			{name: "Ops", kind: array, size: 40, fields: []field{
				{name: "Key", kind: text},
				{name: "Value Remove", kind: fixed, size: 9},
			}},
		}},
		{name: "ValidateOnly", kind: fixed, size: 1},
	}},
	50: {name: "DescribeUserSCRAMCredentials", flexible: 0, size: 40, fields: []field{
		{name: "Users", kind: array, nullable: true, size: 24, fields: []field{{name: "Name", kind: text}}},
	}},
	51: {name: "AlterUserSCRAMCredentials", flexible: 0, size: 64, fields: []field{
		{name: "Deletions", kind: array, size: 32, fields: []field{
			{name: "Name", kind: text},
			{name: "Mechanism", kind: fixed, size: 1},
		}},
		{name: "Upsertions", kind: array, size: 80, fields: []field{
			{name: "Name", kind: text},
			{name: "Mechanism Iterations", kind: fixed, size: 5},
			{name: "Salt", kind: blob},
			{name: "SaltedPassword", kind: blob},
		}},
	}},
	52: {name: "Vote", flexible: 0, size: 56, fields: []field{
		{name: "ClusterID", kind: text, nullable: true, size: 16},
		{name: "VoterID", kind: fixed, since: 1, size: 4},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 72, fields: []field{
				{name: "Partition CandidateEpoch CandidateID", kind: fixed, size: 12},
				{name: "CandidateDirectoryID VoterDirectoryID", kind: fixed, since: 1, size: 32},
				{name: "LastOffsetEpoch LastOffset", kind: fixed, size: 12},
				{name: "PreVote", kind: fixed, since: 2, size: 1},
			}},
		}},
	}},
	53: {name: "BeginQuorumEpoch", flexible: 1, size: 80, fields: []field{
		{name: "ClusterID", kind: text, nullable: true, size: 16},
		{name: "VoterID", kind: fixed, since: 1, size: 4},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 40, fields: []field{
				{name: "Partition", kind: fixed, size: 4},
				{name: "VoterDirectoryID", kind: fixed, since: 1, size: 16},
				{name: "LeaderID LeaderEpoch", kind: fixed, size: 8},
			}},
		}},
		{name: "LeaderEndpoints", kind: array, since: 1, size: 48, fields: []field{
			{name: "Name", kind: text},
			{name: "Host", kind: text},
			{name: "Port", kind: fixed, size: 2},
		}},
	}},
	54: {name: "EndQuorumEpoch", flexible: 1, size: 72, fields: []field{
		{name: "ClusterID", kind: text, nullable: true, size: 16},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 72, fields: []field{
				{name: "Partition LeaderID LeaderEpoch", kind: fixed, size: 12},
				{name: "PreferredSuccessors", kind: list, before: 1, size: 4, fields: []field{{kind: fixed, size: 4}}},
				{name: "PreferredCandidates", kind: array, since: 1, size: 32, fields: []field{{name: "CandidateID CandidateDirectoryID", kind: fixed, size: 20}}},
			}},
		}},
		{name: "LeaderEndpoints", kind: array, since: 1, size: 48, fields: []field{
			{name: "Name", kind: text},
			{name: "Host", kind: text},
			{name: "Port", kind: fixed, size: 2},
		}},
	}},
	55: {name: "DescribeQuorum", flexible: 0, size: 40, fields: []field{
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 16, fields: []field{{name: "Partition", kind: fixed, size: 4}}},
		}},
	}},
	56: {name: "AlterPartition", flexible: 0, size: 48, fields: []field{
		{name: "BrokerID BrokerEpoch", kind: fixed, size: 12},
		{name: "Topics", kind: array, size: 64, fields: []field{
			{name: "Topic", kind: text, before: 2},
			{name: "TopicID", kind: fixed, since: 2, size: 16},
			{name: "Partitions", kind: array, size: 72, fields: []field{
				{name: "Partition LeaderEpoch", kind: fixed, size: 8},
				{name: "NewISR", kind: list, before: 3, size: 4, fields: []field{{kind: fixed, size: 4}}},
				{name: "NewEpochISR", kind: array, since: 3, size: 24, fields: []field{{name: "BrokerID BrokerEpoch", kind: fixed, size: 12}}},
				{name: "LeaderRecoveryState", kind: fixed, since: 1, size: 1},
				{name: "PartitionEpoch", kind: fixed, size: 4},
			}},
		}},
	}},
	57: {name: "UpdateFeatures", flexible: 0, size: 48, fields: []field{
		{name: "TimeoutMillis", kind: fixed, size: 4},
		{name: "FeatureUpdates", kind: array, size: 32, fields: []field{
			{name: "Feature", kind: text},
			{name: "MaxVersionLevel", kind: fixed, size: 2},
			{name: "AllowDowngrade", kind: fixed, before: 1, size: 1},
			{name: "UpgradeType", kind: fixed, since: 1, size: 1},
		}},
		{name: "ValidateOnly", kind: fixed, since: 1, size: 1},
	}},
	58: {name: "Envelope", flexible: 0, size: 88, fields: []field{
		{name: "RequestData", kind: blob},
		{name: "RequestPrincipal", kind: blob, nullable: true},
		{name: "ClientHostAddress", kind: blob},
	}},
	59: {name: "FetchSnapshot", flexible: 0, size: 56, fields: []field{
		{name: "ReplicaID MaxBytes", kind: fixed, size: 8},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 64, fields: []field{
				{name: "Partition CurrentLeaderEpoch", kind: fixed, size: 8},
				{name: "SnapshotID", kind: group, fields: []field{{name: "EndOffset Epoch", kind: fixed, size: 12}}},
				{name: "Position", kind: fixed, size: 8},
				{name: "ReplicaDirectoryID", kind: fixed, tagged: true, tag: 0, size: 16},
			}},
		}},
		{name: "ClusterID", kind: text, nullable: true, tagged: true, tag: 0, size: 16},
	}},
	60: {name: "DescribeCluster", flexible: 0, size: 16, fields: []field{
		{name: "IncludeClusterAuthorizedOperations", kind: fixed, size: 1},
		{name: "EndpointType", kind: fixed, since: 1, size: 1},
		{name: "IncludeFencedBrokers", kind: fixed, since: 2, size: 1},
	}},
	61: {name: "DescribeProducers", flexible: 0, size: 40, fields: []field{
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
		}},
	}},
	62: {name: "BrokerRegistration", flexible: 0, size: 144, fields: []field{
		{name: "BrokerID", kind: fixed, size: 4},
		{name: "ClusterID", kind: text},
		{name: "IncarnationID", kind: fixed, size: 16},
		{name: "Listeners", kind: array, size: 48, fields: []field{
			{name: "Name", kind: text},
			{name: "Host", kind: text},
			{name: "Port SecurityProtocol", kind: fixed, size: 4},
		}},
		{name: "Features", kind: array, size: 32, fields: []field{
			{name: "Name", kind: text},
			{name: "MinSupportedVersion MaxSupportedVersion", kind: fixed, size: 4},
		}},
		{name: "Rack", kind: text, nullable: true, size: 16},
		{name: "IsMigratingZkBroker", kind: fixed, since: 1, size: 1},
		{name: "LogDirs", kind: list, since: 2, size: 16, fields: []field{{kind: fixed, size: 16}}},
		{name: "PreviousBrokerEpoch", kind: fixed, since: 3, size: 8},
	}},
	63: {name: "BrokerHeartbeat", flexible: 0, size: 88, fields: []field{
		{name: "BrokerID BrokerEpoch CurrentMetadataOffset WantFence WantShutdown", kind: fixed, size: 22},
		{name: "OfflineLogDirs", kind: list, tagged: true, tag: 0, size: 16, fields: []field{{kind: fixed, size: 16}}},
		{name: "CordonedLogDirs", kind: list, nullable: true, tagged: true, tag: 1, size: 16, fields: []field{{kind: fixed, size: 16}}},
	}},
	64: {name: "UnregisterBroker", flexible: 0, size: 16, fields: []field{
		{name: "BrokerID", kind: fixed, size: 4},
	}},
	65: {name: "DescribeTransactions", flexible: 0, size: 40, fields: []field{
		{name: "TransactionalIDs", kind: list, size: 16, fields: []field{{kind: text}}},
	}},
	66: {name: "ListTransactions", flexible: 0, size: 80, fields: []field{
		{name: "StateFilters", kind: list, size: 16, fields: []field{{kind: text}}},
		{name: "ProducerIDFilters", kind: list, size: 8, fields: []field{{kind: fixed, size: 8}}},
		{name: "DurationFilterMillis", kind: fixed, since: 1, size: 8},
		{name: "TransactionalIDPattern", kind: text, since: 2, nullable: true, size: 16},
	}},
	67: {name: "AllocateProducerIDs", flexible: 0, size: 24, fields: []field{
		{name: "BrokerID BrokerEpoch", kind: fixed, size: 12},
	}},
}
