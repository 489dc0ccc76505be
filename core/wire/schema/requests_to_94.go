package schema

// requestsTo94 are the shapes of the requests with keys 68 to 94.
//
//nolint:gochecknoglobals // a table of constants; Go has no constant of such a type
var requestsTo94 = [...]message{
	68: {name: "ConsumerGroupHeartbeat", flexible: 0, size: 144, fields: []field{
		{name: "Group", kind: text},
		{name: "MemberID", kind: text},
		{name: "MemberEpoch", kind: fixed, size: 4},
		{name: "InstanceID", kind: text, nullable: true, size: 16},
		{name: "RackID", kind: text, nullable: true, size: 16},
		{name: "RebalanceTimeoutMillis", kind: fixed, size: 4},
		{name: "SubscribedTopicNames", kind: list, nullable: true, size: 16, fields: []field{{kind: text}}},
		{name: "SubscribedTopicRegex", kind: text, since: 1, nullable: true, size: 16},
		{name: "ServerAssignor", kind: text, nullable: true, size: 16},
		{name: "Topics", kind: array, nullable: true, size: 48, fields: []field{
			{name: "TopicID", kind: fixed, size: 16},
			{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
		}},
	}},
	69: {name: "ConsumerGroupDescribe", flexible: 0, size: 48, fields: []field{
		{name: "Groups", kind: list, size: 16, fields: []field{{kind: text}}},
		{name: "IncludeAuthorizedOperations", kind: fixed, size: 1},
	}},
	70: {name: "ControllerRegistration", flexible: 0, size: 88, fields: []field{
		{name: "ControllerID IncarnationID ZkMigrationReady", kind: fixed, size: 21},
		{name: "Listeners", kind: array, size: 48, fields: []field{
			{name: "Name", kind: text},
			{name: "Host", kind: text},
			{name: "Port SecurityProtocol", kind: fixed, size: 4},
		}},
		{name: "Features", kind: array, size: 32, fields: []field{
			{name: "Name", kind: text},
			{name: "MinSupportedVersion MaxSupportedVersion", kind: fixed, size: 4},
		}},
	}},
	71: {name: "GetTelemetrySubscriptions", flexible: 0, size: 32, fields: []field{
		{name: "ClientInstanceID", kind: fixed, size: 16},
	}},
	72: {name: "PushTelemetry", flexible: 0, size: 64, fields: []field{
		{name: "ClientInstanceID SubscriptionID Terminating CompressionType", kind: fixed, size: 22},
		{name: "Metrics", kind: blob},
	}},
	73: {name: "AssignReplicasToDirs", flexible: 0, size: 48, fields: []field{
		{name: "BrokerID BrokerEpoch", kind: fixed, size: 12},
		{name: "Directories", kind: array, size: 48, fields: []field{
			{name: "ID", kind: fixed, size: 16},
			{name: "Topics", kind: array, size: 48, fields: []field{
				{name: "TopicID", kind: fixed, size: 16},
				{name: "Partitions", kind: array, size: 16, fields: []field{{name: "Partition", kind: fixed, size: 4}}},
			}},
		}},
	}},
	74: {name: "ListConfigResources", flexible: 0, size: 40, fields: []field{
		{name: "ResourceTypes", kind: list, since: 1, size: 1, fields: []field{{kind: fixed, size: 1}}},
	}},
	75: {name: "DescribeTopicPartitions", flexible: 0, size: 56, fields: []field{
		{name: "Topics", kind: array, size: 24, fields: []field{{name: "Topic", kind: text}}},
		{name: "ResponsePartitionLimit", kind: fixed, size: 4},
		{name: "Cursor", kind: optional, size: 32, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partition", kind: fixed, size: 4},
		}},
	}},
	76: {name: "ShareGroupHeartbeat", flexible: 0, size: 88, fields: []field{
		{name: "GroupID", kind: text},
		{name: "MemberID", kind: text},
		{name: "MemberEpoch", kind: fixed, size: 4},
		{name: "RackID", kind: text, nullable: true, size: 16},
		{name: "SubscribedTopicNames", kind: list, nullable: true, size: 16, fields: []field{{kind: text}}},
	}},
	77: {name: "ShareGroupDescribe", flexible: 0, size: 48, fields: []field{
		{name: "GroupIDs", kind: list, size: 16, fields: []field{{kind: text}}},
		{name: "IncludeAuthorizedOperations", kind: fixed, size: 1},
	}},
	78: {name: "ShareFetch", flexible: 0, size: 112, fields: []field{
		{name: "GroupID", kind: text, nullable: true, size: 16},
		{name: "MemberID", kind: text, nullable: true, size: 16},
		{name: "ShareSessionEpoch MaxWaitMillis MinBytes MaxBytes", kind: fixed, size: 16},
		{name: "MaxRecords BatchSize", kind: fixed, since: 1, size: 8},
		{name: "ShareAcquireMode IsRenewAck", kind: fixed, since: 2, size: 2},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "TopicID", kind: fixed, size: 16},
			{name: "Partitions", kind: array, size: 40, fields: []field{
				{name: "Partition", kind: fixed, size: 4},
				{name: "PartitionMaxBytes", kind: fixed, before: 1, size: 4},
				{name: "AcknowledgementBatches", kind: array, size: 48, fields: []field{
					{name: "FirstOffset LastOffset", kind: fixed, size: 16},
					{name: "AcknowledgeTypes", kind: list, size: 1, fields: []field{{kind: fixed, size: 1}}},
				}},
			}},
		}},
		{name: "ForgottenTopicsData", kind: array, size: 48, fields: []field{
			{name: "TopicID", kind: fixed, size: 16},
			{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
		}},
	}},
	79: {name: "ShareAcknowledge", flexible: 0, size: 64, fields: []field{
		{name: "GroupID", kind: text, nullable: true, size: 16},
		{name: "MemberID", kind: text, nullable: true, size: 16},
		{name: "ShareSessionEpoch", kind: fixed, size: 4},
		{name: "IsRenewAck", kind: fixed, since: 2, size: 1},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "TopicID", kind: fixed, size: 16},
			{name: "Partitions", kind: array, size: 40, fields: []field{
				{name: "Partition", kind: fixed, size: 4},
				{name: "AcknowledgementBatches", kind: array, size: 48, fields: []field{
					{name: "FirstOffset LastOffset", kind: fixed, size: 16},
					{name: "AcknowledgeTypes", kind: list, size: 1, fields: []field{{kind: fixed, size: 1}}},
				}},
			}},
		}},
	}},
	80: {name: "AddRaftVoter", flexible: 0, size: 80, fields: []field{
		{name: "ClusterID", kind: text, nullable: true, size: 16},
		{name: "TimeoutMillis VoterID VoterDirectoryID", kind: fixed, size: 24},
		{name: "Listeners", kind: array, size: 48, fields: []field{
			{name: "Name", kind: text},
			{name: "Host", kind: text},
			{name: "Port", kind: fixed, size: 2},
		}},
		{name: "AckWhenCommitted", kind: fixed, since: 1, size: 1},
	}},
	81: {name: "RemoveRaftVoter", flexible: 0, size: 48, fields: []field{
		{name: "ClusterID", kind: text, nullable: true, size: 16},
		{name: "VoterID VoterDirectoryID", kind: fixed, size: 20},
	}},
	82: {name: "UpdateRaftVoter", flexible: 0, size: 88, fields: []field{
		{name: "ClusterID", kind: text, nullable: true, size: 16},
		{name: "CurrentLeaderEpoch VoterID VoterDirectoryID", kind: fixed, size: 24},
		{name: "Listeners", kind: array, size: 48, fields: []field{
			{name: "Name", kind: text},
			{name: "Host", kind: text},
			{name: "Port", kind: fixed, size: 2},
		}},
		{name: "KRaftVersionFeature", kind: group, fields: []field{{name: "MinSupportedVersion MaxSupportedVersion", kind: fixed, size: 4}}},
	}},
	83: {name: "InitializeShareGroupState", flexible: 0, size: 56, fields: []field{
		{name: "GroupID", kind: text},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "TopicID", kind: fixed, size: 16},
			{name: "Partitions", kind: array, size: 24, fields: []field{{name: "Partition StateEpoch StartOffset", kind: fixed, size: 16}}},
		}},
	}},
	84: {name: "ReadShareGroupState", flexible: 0, size: 56, fields: []field{
		{name: "GroupID", kind: text},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "TopicID", kind: fixed, size: 16},
			{name: "Partitions", kind: array, size: 16, fields: []field{{name: "Partition LeaderEpoch", kind: fixed, size: 8}}},
		}},
	}},
	85: {name: "WriteShareGroupState", flexible: 0, size: 56, fields: []field{
		{name: "GroupID", kind: text},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "TopicID", kind: fixed, size: 16},
			{name: "Partitions", kind: array, size: 64, fields: []field{
				{name: "Partition StateEpoch LeaderEpoch StartOffset", kind: fixed, size: 20},
				{name: "DeliveryCompleteCount", kind: fixed, since: 1, size: 4},
				{name: "StateBatches", kind: array, size: 32, fields: []field{{name: "FirstOffset LastOffset DeliveryState DeliveryCount", kind: fixed, size: 19}}},
			}},
		}},
	}},
	86: {name: "DeleteShareGroupState", flexible: 0, size: 56, fields: []field{
		{name: "GroupID", kind: text},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "TopicID", kind: fixed, size: 16},
			{name: "Partitions", kind: array, size: 16, fields: []field{{name: "Partition", kind: fixed, size: 4}}},
		}},
	}},
	87: {name: "ReadShareGroupStateSummary", flexible: 0, size: 56, fields: []field{
		{name: "GroupID", kind: text},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "TopicID", kind: fixed, size: 16},
			{name: "Partitions", kind: array, size: 16, fields: []field{{name: "Partition LeaderEpoch", kind: fixed, size: 8}}},
		}},
	}},
	88: {name: "StreamsGroupHeartbeat", flexible: 0, size: 256, fields: []field{
		{name: "Group", kind: text},
		{name: "MemberID", kind: text},
		{name: "MemberEpoch EndpointInformationEpoch", kind: fixed, size: 8},
		{name: "InstanceID", kind: text, nullable: true, size: 16},
		{name: "RackID", kind: text, nullable: true, size: 16},
		{name: "RebalanceTimeoutMillis", kind: fixed, size: 4},
		{name: "Topology", kind: optional, size: 40, fields: []field{
			{name: "Epoch", kind: fixed, size: 4},
			{name: "Subtopologies", kind: array, size: 168, fields: []field{
				{name: "SubtopologyID", kind: text},
				{name: "SourceTopics", kind: list, size: 16, fields: []field{{kind: text}}},
				{name: "SourceTopicRegex", kind: list, size: 16, fields: []field{{kind: text}}},
				{name: "StateChangelogTopics", kind: array, size: 56, fields: []field{
					{name: "Topic", kind: text},
					{name: "NumPartitions ReplicationFactor", kind: fixed, size: 6},
					{name: "Configs", kind: array, size: 40, fields: []field{
						{name: "Key", kind: text},
						{name: "Value", kind: text},
					}},
				}},
				{name: "RepartitionSinkTopics", kind: list, size: 16, fields: []field{{kind: text}}},
				{name: "RepartitionSourceTopics", kind: array, size: 56, fields: []field{
					{name: "Topic", kind: text},
					{name: "NumPartitions ReplicationFactor", kind: fixed, size: 6},
					{name: "Configs", kind: array, size: 40, fields: []field{
						{name: "Key", kind: text},
						{name: "Value", kind: text},
					}},
				}},
				{name: "CopartitionGroups", kind: array, size: 80, fields: []field{
					{name: "SourceTopics", kind: list, size: 2, fields: []field{{kind: fixed, size: 2}}},
					{name: "SourceTopicRegex", kind: list, size: 2, fields: []field{{kind: fixed, size: 2}}},
					{name: "RepartitionSourceTopics", kind: list, size: 2, fields: []field{{kind: fixed, size: 2}}},
				}},
			}},
		}},
		{name: "ActiveTasks", kind: array, nullable: true, size: 48, fields: []field{
			{name: "SubtopologyID", kind: text},
			{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
		}},
		{name: "StandbyTasks", kind: array, nullable: true, size: 48, fields: []field{
			{name: "SubtopologyID", kind: text},
			{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
		}},
		{name: "WarmupTasks", kind: array, nullable: true, size: 48, fields: []field{
			{name: "SubtopologyID", kind: text},
			{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
		}},
		{name: "ProcessID", kind: text, nullable: true, size: 16},
		{name: "UserEndpoint", kind: optional, size: 32, fields: []field{
			{name: "Host", kind: text},
			{name: "Port", kind: fixed, size: 2},
		}},
		{name: "ClientTags", kind: array, nullable: true, size: 40, fields: []field{
			{name: "Key", kind: text},
			{name: "Value", kind: text},
		}},
		{name: "TaskOffsets", kind: array, nullable: true, size: 40, fields: []field{
			{name: "SubtopologyID", kind: text},
			{name: "Partition Offset", kind: fixed, size: 12},
		}},
		{name: "TaskEndOffsets", kind: array, nullable: true, size: 40, fields: []field{
			{name: "SubtopologyID", kind: text},
			{name: "Partition Offset", kind: fixed, size: 12},
		}},
		{name: "ShutdownApplication", kind: fixed, size: 1},
	}},
	89: {name: "StreamsGroupDescribe", flexible: 0, size: 48, fields: []field{
		{name: "Groups", kind: list, size: 16, fields: []field{{kind: text}}},
		{name: "IncludeAuthorizedOperations", kind: fixed, size: 1},
		{name: "IncludeTopologyDescription", kind: fixed, since: 1, size: 1},
	}},
	90: {name: "DescribeShareGroupOffsets", flexible: 0, size: 40, fields: []field{
		{name: "Groups", kind: array, nullable: true, size: 48, fields: []field{
			{name: "GroupID", kind: text},
			{name: "Topics", kind: array, nullable: true, size: 48, fields: []field{
				{name: "Topic", kind: text},
				{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
			}},
		}},
	}},
	91: {name: "AlterShareGroupOffsets", flexible: 0, size: 56, fields: []field{
		{name: "GroupID", kind: text},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partitions", kind: array, size: 24, fields: []field{{name: "Partition StartOffset", kind: fixed, size: 12}}},
		}},
	}},
	92: {name: "DeleteShareGroupOffsets", flexible: 0, size: 56, fields: []field{
		{name: "GroupID", kind: text},
		{name: "Topics", kind: array, size: 24, fields: []field{{name: "Topic", kind: text}}},
	}},
	93: {name: "StreamsGroupTopologyDescriptionUpdate", flexible: 0, size: 112, fields: []field{
		{name: "Group", kind: text},
		{name: "MemberID", kind: text},
		{name: "TopologyEpoch", kind: fixed, size: 4},
		{name: "TopologyDescription", kind: group, fields: []field{
			{name: "Subtopologies", kind: array, size: 48, fields: []field{
				{name: "SubtopologyID", kind: text},
				{name: "Nodes", kind: array, size: 112, fields: []field{
					{name: "Name", kind: text},
					{name: "NodeType", kind: fixed, size: 1},
					{name: "SourceTopics", kind: list, size: 16, fields: []field{{kind: text}}},
					{name: "SinkTopic", kind: text, nullable: true, size: 16},
					{name: "Stores", kind: list, size: 16, fields: []field{{kind: text}}},
					{name: "Successors", kind: list, size: 16, fields: []field{{kind: text}}},
				}},
			}},
			{name: "GlobalStores", kind: array, size: 232, fields: []field{
				{name: "Source", kind: group, fields: []field{
					{name: "Name", kind: text},
					{name: "NodeType", kind: fixed, size: 1},
					{name: "SourceTopics", kind: list, size: 16, fields: []field{{kind: text}}},
					{name: "SinkTopic", kind: text, nullable: true, size: 16},
					{name: "Stores", kind: list, size: 16, fields: []field{{kind: text}}},
					{name: "Successors", kind: list, size: 16, fields: []field{{kind: text}}},
				}},
				{name: "Processor", kind: group, fields: []field{
					{name: "Name", kind: text},
					{name: "NodeType", kind: fixed, size: 1},
					{name: "SourceTopics", kind: list, size: 16, fields: []field{{kind: text}}},
					{name: "SinkTopic", kind: text, nullable: true, size: 16},
					{name: "Stores", kind: list, size: 16, fields: []field{{kind: text}}},
					{name: "Successors", kind: list, size: 16, fields: []field{{kind: text}}},
				}},
			}},
		}},
	}},
	94: {name: "UnregisterController", flexible: 0, size: 16, fields: []field{
		{name: "ControllerID", kind: fixed, size: 4},
	}},
}
