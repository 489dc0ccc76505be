package metadata

// FeatureLevel is a level of one feature (KIP-584). Levels of different features are not comparable. Level 0 of
// any feature but metadata.version means "off".
type FeatureLevel int16

// The features that Kafka 4.4 knows. All but kraft.version are finalized by FeatureLevelRecords; kraft.version lives in
// KRaftVersionRecords, since the quorum must know it below the level of metadata records (KIP-853).
const (
	MetadataVersionFeature        = "metadata.version"
	KRaftVersionFeature           = "kraft.version"
	TransactionVersionFeature     = "transaction.version"
	GroupVersionFeature           = "group.version"
	EligibleLeaderReplicasFeature = "eligible.leader.replicas.version"
	ShareVersionFeature           = "share.version"
	StreamsVersionFeature         = "streams.version"
)

// Levels of metadata.version. Each release's last one is its production level. Levels below 3.3-IV3 cannot
// be read by Kafka 4.
const (
	MetadataVersion33IV3 FeatureLevel = 7
	MetadataVersion34IV0 FeatureLevel = 8
	MetadataVersion35IV2 FeatureLevel = 11
	MetadataVersion36IV2 FeatureLevel = 14
	MetadataVersion37IV4 FeatureLevel = 19
	MetadataVersion38IV0 FeatureLevel = 20
	MetadataVersion39IV0 FeatureLevel = 21
	MetadataVersion40IV3 FeatureLevel = 25
	MetadataVersion41IV1 FeatureLevel = 27
	MetadataVersion42IV1 FeatureLevel = 29
	MetadataVersion43IV0 FeatureLevel = 30
	MetadataVersion44IV2 FeatureLevel = 33

	// MetadataVersionMin and MetadataVersionMax bound what this package can read and write.
	MetadataVersionMin = MetadataVersion33IV3
	MetadataVersionMax = MetadataVersion44IV2
)

// DefaultFeatureLevel is the level at which Kafka 4.4 starts a feature in a cluster that is formatted at
// metadata.version mv, 0 for "off" and for features it does not know.
func DefaultFeatureLevel(feature string, mv FeatureLevel) FeatureLevel {
	switch {
	case feature == MetadataVersionFeature:
		return mv
	case feature == KRaftVersionFeature && mv >= MetadataVersion39IV0:
		return KRaftVersionMax // only with dynamic voters; a static quorum stays at 0
	case feature == TransactionVersionFeature && mv >= 24:
		return TransactionVersionMax
	case feature == GroupVersionFeature && mv >= 22:
		return GroupVersionMax
	case feature == EligibleLeaderReplicasFeature && mv >= 26:
		return EligibleLeaderReplicasMax
	case feature == ShareVersionFeature && mv >= 31:
		return ShareVersionMax
	case feature == ShareVersionFeature && mv >= 28:
		return 1
	case feature == StreamsVersionFeature && mv >= MetadataVersion42IV1:
		return StreamsVersionMax
	}
	return 0
}

// SupportedRange is the range of levels of a feature that this package can read, and whether it knows the feature at
// all. A cluster may finalize less: every registered node must support a level too (KIP-584).
func SupportedRange(feature string) (lowest, highest FeatureLevel, known bool) {
	switch feature {
	case MetadataVersionFeature:
		return MetadataVersionMin, MetadataVersionMax, true
	case TransactionVersionFeature:
		return 0, TransactionVersionMax, true
	case GroupVersionFeature:
		return 0, GroupVersionMax, true
	case EligibleLeaderReplicasFeature:
		return 0, EligibleLeaderReplicasMax, true
	case ShareVersionFeature:
		return 0, ShareVersionMax, true
	case StreamsVersionFeature:
		return 0, StreamsVersionMax, true
	}
	return 0, 0, false
}

// The other features' highest production levels in Kafka 4.4; each starts at 0.
const (
	KRaftVersionMax           FeatureLevel = 1 // dynamic voters, KIP-853
	TransactionVersionMax     FeatureLevel = 2 // 1: flexible records, 2: epoch bump per transaction, KIP-890
	GroupVersionMax           FeatureLevel = 1 // KIP-848
	EligibleLeaderReplicasMax FeatureLevel = 1 // KIP-966
	ShareVersionMax           FeatureLevel = 2 // KIP-932
	StreamsVersionMax         FeatureLevel = 1 // KIP-1071
)

// What a metadata.version level permits to be written. The methods make sense for levels of metadata.version only.

// HasMigration: version 2 of RegisterBrokerRecord (KIP-866).
func (l FeatureLevel) HasMigration() bool { return l >= 8 }

// HasScram: SCRAM credentials in the metadata log (KIP-900).
func (l FeatureLevel) HasScram() bool { return l >= 11 }

// NeedsLeaderEpochBumpOnIsrShrink: before 3.6-IV0 every ISR shrink raised the leader epoch (KAFKA-15021).
func (l FeatureLevel) NeedsLeaderEpochBumpOnIsrShrink() bool { return l < 12 }

// HasMetadataTransactions: Begin, End and AbortTransactionRecord (KIP-868).
func (l FeatureLevel) HasMetadataTransactions() bool { return l >= 13 }

// HasDelegationTokens: delegation tokens in the metadata log (KIP-900).
func (l FeatureLevel) HasDelegationTokens() bool { return l >= 14 }

// HasControllerRegistration: RegisterControllerRecord (KIP-919).
func (l FeatureLevel) HasControllerRegistration() bool { return l >= 15 }

// HasDirectoryAssignment: log directories of brokers and replicas (KIP-858).
func (l FeatureLevel) HasDirectoryAssignment() bool { return l >= 17 }

// HasElr: eligible leader replicas in partition records (KIP-966). Whether the controller maintains them is the
// level of [EligibleLeaderReplicasFeature].
func (l FeatureLevel) HasElr() bool { return l >= 23 }

// HasCordonedLogDirs: cordoned log directories (KIP-1066).
func (l FeatureLevel) HasCordonedLogDirs() bool { return l >= 30 }

// HasControllerUnregistration: UnregisterControllerRecord.
func (l FeatureLevel) HasControllerUnregistration() bool { return l >= 33 }
