package schema

// responsesTo94 are the shapes of the responses with keys 68 to 94.
//
//nolint:gochecknoglobals // a table of constants; Go has no constant of such a type
var responsesTo94 = [...]message{
	68: {name: "ConsumerGroupHeartbeat", flexible: 0, size: 56, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "ErrorMessage", kind: text, nullable: true, size: 16},
		{name: "MemberID", kind: text, nullable: true, size: 16},
		{name: "MemberEpoch HeartbeatIntervalMillis", kind: fixed, size: 8},
		{name: "Assignment", kind: optional, size: 32, fields: []field{
			{name: "Topics", kind: array, size: 48, fields: []field{
				{name: "TopicID", kind: fixed, size: 16},
				{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
			}},
		}},
	}},
	69: {name: "ConsumerGroupDescribe", flexible: 0, size: 40, fields: []field{
		{name: "ThrottleMillis", kind: fixed, size: 4},
		{name: "Groups", kind: array, size: 112, fields: []field{
			{name: "ErrorCode", kind: fixed, size: 2},
			{name: "ErrorMessage", kind: text, nullable: true, size: 16},
			{name: "Group", kind: text},
			{name: "State", kind: text},
			{name: "Epoch AssignmentEpoch", kind: fixed, size: 8},
			{name: "AssignorName", kind: text},
			{name: "Members", kind: array, size: 184, fields: []field{
				{name: "MemberID", kind: text},
				{name: "InstanceID", kind: text, nullable: true, size: 16},
				{name: "RackID", kind: text, nullable: true, size: 16},
				{name: "MemberEpoch", kind: fixed, size: 4},
				{name: "ClientID", kind: text},
				{name: "ClientHost", kind: text},
				{name: "SubscribedTopics", kind: list, size: 16, fields: []field{{kind: text}}},
				{name: "SubscribedTopicRegex", kind: text, nullable: true, size: 16},
				{name: "Assignment", kind: group, fields: []field{
					{name: "TopicPartitions", kind: array, size: 64, fields: []field{
						{name: "TopicID", kind: fixed, size: 16},
						{name: "Topic", kind: text},
						{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
					}},
				}},
				{name: "TargetAssignment", kind: group, fields: []field{
					{name: "TopicPartitions", kind: array, size: 64, fields: []field{
						{name: "TopicID", kind: fixed, size: 16},
						{name: "Topic", kind: text},
						{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
					}},
				}},
				{name: "MemberType", kind: fixed, since: 1, size: 1},
			}},
			{name: "AuthorizedOperations", kind: fixed, size: 4},
		}},
	}},
	70: {name: "ControllerRegistration", flexible: 0, size: 32, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "ErrorMessage", kind: text, nullable: true, size: 16},
	}},
	71: {name: "GetTelemetrySubscriptions", flexible: 0, size: 104, fields: []field{
		{name: "ThrottleMillis ErrorCode ClientInstanceID SubscriptionID", kind: fixed, size: 26},
		{name: "AcceptedCompressionTypes", kind: list, size: 1, fields: []field{{kind: fixed, size: 1}}},
		{name: "PushIntervalMillis TelemetryMaxBytes DeltaTemporality", kind: fixed, size: 9},
		{name: "RequestedMetrics", kind: list, size: 16, fields: []field{{kind: text}}},
	}},
	72: {name: "PushTelemetry", flexible: 0, size: 24, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
	}},
	73: {name: "AssignReplicasToDirs", flexible: 0, size: 48, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "Directories", kind: array, size: 48, fields: []field{
			{name: "ID", kind: fixed, size: 16},
			{name: "Topics", kind: array, size: 48, fields: []field{
				{name: "TopicID", kind: fixed, size: 16},
				{name: "Partitions", kind: array, size: 16, fields: []field{{name: "Partition ErrorCode", kind: fixed, size: 6}}},
			}},
		}},
	}},
	74: {name: "ListConfigResources", flexible: 0, size: 48, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "ConfigResources", kind: array, size: 32, fields: []field{
			{name: "Name", kind: text},
			{name: "Type", kind: fixed, since: 1, size: 1},
		}},
	}},
	75: {name: "DescribeTopicPartitions", flexible: 0, size: 48, fields: []field{
		{name: "ThrottleMillis", kind: fixed, size: 4},
		{name: "Topics", kind: array, nullable: true, size: 80, fields: []field{
			{name: "ErrorCode", kind: fixed, size: 2},
			{name: "Topic", kind: text, nullable: true, size: 16},
			{name: "TopicID IsInternal", kind: fixed, size: 17},
			{name: "Partitions", kind: array, nullable: true, size: 144, fields: []field{
				{name: "ErrorCode Partition LeaderID LeaderEpoch", kind: fixed, size: 14},
				{name: "Replicas", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
				{name: "ISR", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
				{name: "EligibleLeaderReplicas", kind: list, nullable: true, size: 4, fields: []field{{kind: fixed, size: 4}}},
				{name: "LastKnownELR", kind: list, nullable: true, size: 4, fields: []field{{kind: fixed, size: 4}}},
				{name: "OfflineReplicas", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
			}},
			{name: "AuthorizedOperations", kind: fixed, size: 4},
		}},
		{name: "NextCursor", kind: optional, size: 32, fields: []field{
			{name: "Topic", kind: text},
			{name: "Partition", kind: fixed, size: 4},
		}},
	}},
	76: {name: "ShareGroupHeartbeat", flexible: 0, size: 56, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "ErrorMessage", kind: text, nullable: true, size: 16},
		{name: "MemberID", kind: text, nullable: true, size: 16},
		{name: "MemberEpoch HeartbeatIntervalMillis", kind: fixed, size: 8},
		{name: "Assignment", kind: optional, size: 32, fields: []field{
			{name: "TopicPartitions", kind: array, size: 48, fields: []field{
				{name: "TopicID", kind: fixed, size: 16},
				{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
			}},
		}},
	}},
	77: {name: "ShareGroupDescribe", flexible: 0, size: 40, fields: []field{
		{name: "ThrottleMillis", kind: fixed, size: 4},
		{name: "Groups", kind: array, size: 112, fields: []field{
			{name: "ErrorCode", kind: fixed, size: 2},
			{name: "ErrorMessage", kind: text, nullable: true, size: 16},
			{name: "GroupID", kind: text},
			{name: "GroupState", kind: text},
			{name: "GroupEpoch AssignmentEpoch", kind: fixed, size: 8},
			{name: "Assignor", kind: text},
			{name: "Members", kind: array, size: 128, fields: []field{
				{name: "MemberID", kind: text},
				{name: "RackID", kind: text, nullable: true, size: 16},
				{name: "MemberEpoch", kind: fixed, size: 4},
				{name: "ClientID", kind: text},
				{name: "ClientHost", kind: text},
				{name: "SubscribedTopicNames", kind: list, size: 16, fields: []field{{kind: text}}},
				{name: "Assignment", kind: group, fields: []field{
					{name: "TopicPartitions", kind: array, size: 64, fields: []field{
						{name: "TopicID", kind: fixed, size: 16},
						{name: "Topic", kind: text},
						{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
					}},
				}},
			}},
			{name: "AuthorizedOperations", kind: fixed, size: 4},
		}},
	}},
	78: {name: "ShareFetch", flexible: 0, size: 88, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "ErrorMessage", kind: text, nullable: true, size: 16},
		{name: "AcquisitionLockTimeoutMillis", kind: fixed, since: 1, size: 4},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "TopicID", kind: fixed, size: 16},
			{name: "Partitions", kind: array, size: 104, fields: []field{
				{name: "Partition ErrorCode", kind: fixed, size: 6},
				{name: "ErrorMessage", kind: text, nullable: true, size: 16},
				{name: "AcknowledgeErrorCode", kind: fixed, size: 2},
				{name: "AcknowledgeErrorMessage", kind: text, nullable: true, size: 16},
				{name: "CurrentLeader", kind: group, fields: []field{{name: "LeaderID LeaderEpoch", kind: fixed, size: 8}}},
				{name: "Records", kind: blob, nullable: true},
				{name: "AcquiredRecords", kind: array, size: 32, fields: []field{{name: "FirstOffset LastOffset DeliveryCount", kind: fixed, size: 18}}},
			}},
		}},
		{name: "NodeEndpoints", kind: array, size: 48, fields: []field{
			{name: "NodeID", kind: fixed, size: 4},
			{name: "Host", kind: text},
			{name: "Port", kind: fixed, size: 4},
			{name: "Rack", kind: text, nullable: true, size: 16},
		}},
	}},
	79: {name: "ShareAcknowledge", flexible: 0, size: 88, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "ErrorMessage", kind: text, nullable: true, size: 16},
		{name: "AcquisitionLockTimeoutMillis", kind: fixed, since: 2, size: 4},
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "TopicID", kind: fixed, size: 16},
			{name: "Partitions", kind: array, size: 40, fields: []field{
				{name: "Partition ErrorCode", kind: fixed, size: 6},
				{name: "ErrorMessage", kind: text, nullable: true, size: 16},
				{name: "CurrentLeader", kind: group, fields: []field{{name: "LeaderID LeaderEpoch", kind: fixed, size: 8}}},
			}},
		}},
		{name: "NodeEndpoints", kind: array, size: 48, fields: []field{
			{name: "NodeID", kind: fixed, size: 4},
			{name: "Host", kind: text},
			{name: "Port", kind: fixed, size: 4},
			{name: "Rack", kind: text, nullable: true, size: 16},
		}},
	}},
	80: {name: "AddRaftVoter", flexible: 0, size: 32, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "ErrorMessage", kind: text, nullable: true, size: 16},
	}},
	81: {name: "RemoveRaftVoter", flexible: 0, size: 32, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "ErrorMessage", kind: text, nullable: true, size: 16},
	}},
	82: {name: "UpdateRaftVoter", flexible: 0, size: 64, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "CurrentLeader", kind: group, tagged: true, tag: 0, fields: []field{
			{name: "LeaderID LeaderEpoch", kind: fixed, size: 8},
			{name: "Host", kind: text},
			{name: "Port", kind: fixed, size: 4},
		}},
	}},
	83: {name: "InitializeShareGroupState", flexible: 0, size: 40, fields: []field{
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "TopicID", kind: fixed, size: 16},
			{name: "Partitions", kind: array, size: 24, fields: []field{
				{name: "Partition ErrorCode", kind: fixed, size: 6},
				{name: "ErrorMessage", kind: text, nullable: true, size: 16},
			}},
		}},
	}},
	84: {name: "ReadShareGroupState", flexible: 0, size: 40, fields: []field{
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "TopicID", kind: fixed, size: 16},
			{name: "Partitions", kind: array, size: 64, fields: []field{
				{name: "Partition ErrorCode", kind: fixed, size: 6},
				{name: "ErrorMessage", kind: text, nullable: true, size: 16},
				{name: "StateEpoch StartOffset", kind: fixed, size: 12},
				{name: "StateBatches", kind: array, size: 32, fields: []field{{name: "FirstOffset LastOffset DeliveryState DeliveryCount", kind: fixed, size: 19}}},
			}},
		}},
	}},
	85: {name: "WriteShareGroupState", flexible: 0, size: 40, fields: []field{
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "TopicID", kind: fixed, size: 16},
			{name: "Partitions", kind: array, size: 24, fields: []field{
				{name: "Partition ErrorCode", kind: fixed, size: 6},
				{name: "ErrorMessage", kind: text, nullable: true, size: 16},
			}},
		}},
	}},
	86: {name: "DeleteShareGroupState", flexible: 0, size: 40, fields: []field{
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "TopicID", kind: fixed, size: 16},
			{name: "Partitions", kind: array, size: 24, fields: []field{
				{name: "Partition ErrorCode", kind: fixed, size: 6},
				{name: "ErrorMessage", kind: text, nullable: true, size: 16},
			}},
		}},
	}},
	87: {name: "ReadShareGroupStateSummary", flexible: 0, size: 40, fields: []field{
		{name: "Topics", kind: array, size: 48, fields: []field{
			{name: "TopicID", kind: fixed, size: 16},
			{name: "Partitions", kind: array, size: 48, fields: []field{
				{name: "Partition ErrorCode", kind: fixed, size: 6},
				{name: "ErrorMessage", kind: text, nullable: true, size: 16},
				{name: "StateEpoch LeaderEpoch StartOffset", kind: fixed, size: 16},
				{name: "DeliveryCompleteCount", kind: fixed, since: 1, size: 4},
			}},
		}},
	}},
	88: {name: "StreamsGroupHeartbeat", flexible: 0, size: 200, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "ErrorMessage", kind: text, nullable: true, size: 16},
		{name: "MemberID", kind: text},
		{name: "MemberEpoch HeartbeatIntervalMillis", kind: fixed, size: 8},
		{name: "AcceptableRecoveryLagLegacy", kind: fixed, before: 1, size: 4},
		{name: "TaskOffsetIntervalMillis", kind: fixed, size: 4},
		{name: "AcceptableRecoveryLag", kind: fixed, since: 1, size: 8},
		{name: "Status", kind: array, nullable: true, size: 32, fields: []field{
			{name: "StatusCode", kind: fixed, size: 1},
			{name: "StatusDetail", kind: text},
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
		{name: "TopologyDescriptionRequired", kind: fixed, since: 1, size: 1},
		{name: "EndpointInformationEpoch", kind: fixed, size: 4},
		{name: "PartitionsByUserEndpoint", kind: array, nullable: true, size: 88, fields: []field{
			{name: "UserEndpoint", kind: group, fields: []field{
				{name: "Host", kind: text},
				{name: "Port", kind: fixed, size: 2},
			}},
			{name: "ActivePartitions", kind: array, size: 48, fields: []field{
				{name: "Topic", kind: text},
				{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
			}},
			{name: "StandbyPartitions", kind: array, size: 48, fields: []field{
				{name: "Topic", kind: text},
				{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
			}},
		}},
	}},
	89: {name: "StreamsGroupDescribe", flexible: 0, size: 40, fields: []field{
		{name: "ThrottleMillis", kind: fixed, size: 4},
		{name: "Groups", kind: array, nullable: true, size: 128, fields: []field{
			{name: "ErrorCode", kind: fixed, size: 2},
			{name: "ErrorMessage", kind: text, nullable: true, size: 16},
			{name: "Group", kind: text},
			{name: "State", kind: text},
			{name: "Epoch AssignmentEpoch", kind: fixed, size: 8},
			{name: "Topology", kind: optional, size: 40, fields: []field{
				{name: "Epoch", kind: fixed, size: 4},
				{name: "Subtopologies", kind: array, nullable: true, size: 120, fields: []field{
					{name: "SubtopologyID", kind: text},
					{name: "SourceTopics", kind: list, size: 16, fields: []field{{kind: text}}},
					{name: "RepartitionSinkTopics", kind: list, size: 16, fields: []field{{kind: text}}},
					{name: "StateChangelogTopics", kind: array, size: 56, fields: []field{
						{name: "Topic", kind: text},
						{name: "NumPartitions ReplicationFactor", kind: fixed, size: 6},
						{name: "Configs", kind: array, size: 40, fields: []field{
							{name: "Key", kind: text},
							{name: "Value", kind: text},
						}},
					}},
					{name: "RepartitionSourceTopics", kind: array, size: 56, fields: []field{
						{name: "Topic", kind: text},
						{name: "NumPartitions ReplicationFactor", kind: fixed, size: 6},
						{name: "Configs", kind: array, size: 40, fields: []field{
							{name: "Key", kind: text},
							{name: "Value", kind: text},
						}},
					}},
				}},
			}},
			{name: "Members", kind: array, size: 352, fields: []field{
				{name: "MemberID", kind: text},
				{name: "MemberEpoch", kind: fixed, size: 4},
				{name: "InstanceID", kind: text, nullable: true, size: 16},
				{name: "RackID", kind: text, nullable: true, size: 16},
				{name: "ClientID", kind: text},
				{name: "ClientHost", kind: text},
				{name: "TopologyEpoch", kind: fixed, size: 4},
				{name: "ProcessID", kind: text},
				{name: "UserEndpoint", kind: optional, size: 32, fields: []field{
					{name: "Host", kind: text},
					{name: "Port", kind: fixed, size: 2},
				}},
				{name: "ClientTags", kind: array, size: 40, fields: []field{
					{name: "Key", kind: text},
					{name: "Value", kind: text},
				}},
				{name: "TaskOffsets", kind: array, size: 40, fields: []field{
					{name: "SubtopologyID", kind: text},
					{name: "Partition Offset", kind: fixed, size: 12},
				}},
				{name: "TaskEndOffsets", kind: array, size: 40, fields: []field{
					{name: "SubtopologyID", kind: text},
					{name: "Partition Offset", kind: fixed, size: 12},
				}},
				{name: "Assignment", kind: group, fields: []field{
					{name: "ActiveTasks", kind: array, size: 48, fields: []field{
						{name: "SubtopologyID", kind: text},
						{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
					}},
					{name: "StandbyTasks", kind: array, size: 48, fields: []field{
						{name: "SubtopologyID", kind: text},
						{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
					}},
					{name: "WarmupTasks", kind: array, size: 48, fields: []field{
						{name: "SubtopologyID", kind: text},
						{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
					}},
				}},
				{name: "TargetAssignment", kind: group, fields: []field{
					{name: "ActiveTasks", kind: array, size: 48, fields: []field{
						{name: "SubtopologyID", kind: text},
						{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
					}},
					{name: "StandbyTasks", kind: array, size: 48, fields: []field{
						{name: "SubtopologyID", kind: text},
						{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
					}},
					{name: "WarmupTasks", kind: array, size: 48, fields: []field{
						{name: "SubtopologyID", kind: text},
						{name: "Partitions", kind: list, size: 4, fields: []field{{kind: fixed, size: 4}}},
					}},
				}},
				{name: "IsClassic", kind: fixed, size: 1},
			}},
			{name: "AuthorizedOperations", kind: fixed, size: 4},
			{name: "TopologyDescription", kind: optional, since: 1, size: 56, fields: []field{
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
			{name: "TopologyDescriptionStatus", kind: fixed, since: 1, size: 1},
			{name: "AssignorName", kind: text, since: 1, nullable: true, size: 16},
		}},
	}},
	90: {name: "DescribeShareGroupOffsets", flexible: 0, size: 40, fields: []field{
		{name: "ThrottleMillis", kind: fixed, size: 4},
		{name: "Groups", kind: array, size: 64, fields: []field{
			{name: "GroupID", kind: text},
			{name: "Topics", kind: array, size: 64, fields: []field{
				{name: "Topic", kind: text},
				{name: "TopicID", kind: fixed, size: 16},
				{name: "Partitions", kind: array, size: 56, fields: []field{
					{name: "Partition StartOffset LeaderEpoch", kind: fixed, size: 16},
					{name: "Lag", kind: fixed, since: 1, size: 8},
					{name: "ErrorCode", kind: fixed, size: 2},
					{name: "ErrorMessage", kind: text, nullable: true, size: 16},
				}},
			}},
			{name: "ErrorCode", kind: fixed, size: 2},
			{name: "ErrorMessage", kind: text, nullable: true, size: 16},
		}},
	}},
	91: {name: "AlterShareGroupOffsets", flexible: 0, size: 56, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "ErrorMessage", kind: text, nullable: true, size: 16},
		{name: "Topics", kind: array, size: 64, fields: []field{
			{name: "Topic", kind: text},
			{name: "TopicID", kind: fixed, size: 16},
			{name: "Partitions", kind: array, size: 24, fields: []field{
				{name: "Partition ErrorCode", kind: fixed, size: 6},
				{name: "ErrorMessage", kind: text, nullable: true, size: 16},
			}},
		}},
	}},
	92: {name: "DeleteShareGroupOffsets", flexible: 0, size: 56, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "ErrorMessage", kind: text, nullable: true, size: 16},
		{name: "Topics", kind: array, size: 56, fields: []field{
			{name: "Topic", kind: text},
			{name: "TopicID ErrorCode", kind: fixed, size: 18},
			{name: "ErrorMessage", kind: text, nullable: true, size: 16},
		}},
	}},
	93: {name: "StreamsGroupTopologyDescriptionUpdate", flexible: 0, size: 32, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "ErrorMessage", kind: text, nullable: true, size: 16},
	}},
	94: {name: "UnregisterController", flexible: 0, size: 32, fields: []field{
		{name: "ThrottleMillis ErrorCode", kind: fixed, size: 6},
		{name: "ErrorMessage", kind: text, nullable: true, size: 16},
	}},
}
