package metadata

import (
	"fmt"
	"strings"
)

// Record is one metadata record. The set is closed: the structs of this package whose names end in Record.
// Records are handled as pointers and, once replayed or handed out, never modified.
type Record interface {
	// APIKey is the record's api key in Kafka's schemas.
	APIKey() RecordKey
	// walk codes the body in schema order at the coder's version.
	walk(*coder)
}

// RecordKey is the api key of a metadata record.
type RecordKey int16

// The metadata records of Kafka 4.4. The keys are for ever; those missing from the sequence (6, 13, 16) belonged to
// records that were dropped before KRaft was released.
const (
	KeyRegisterBroker           RecordKey = 0
	KeyUnregisterBroker         RecordKey = 1
	KeyTopic                    RecordKey = 2
	KeyPartition                RecordKey = 3
	KeyConfig                   RecordKey = 4
	KeyPartitionChange          RecordKey = 5
	KeyFenceBroker              RecordKey = 7
	KeyUnfenceBroker            RecordKey = 8
	KeyRemoveTopic              RecordKey = 9
	KeyDelegationToken          RecordKey = 10
	KeyUserScramCredential      RecordKey = 11
	KeyFeatureLevel             RecordKey = 12
	KeyClientQuota              RecordKey = 14
	KeyProducerIDs              RecordKey = 15
	KeyBrokerRegistrationChange RecordKey = 17
	KeyAccessControlEntry       RecordKey = 18
	KeyRemoveAccessControlEntry RecordKey = 19
	KeyNoOp                     RecordKey = 20
	KeyZkMigrationState         RecordKey = 21
	KeyRemoveUserScram          RecordKey = 22
	KeyBeginTransaction         RecordKey = 23
	KeyEndTransaction           RecordKey = 24
	KeyAbortTransaction         RecordKey = 25
	KeyRemoveDelegationToken    RecordKey = 26
	KeyRegisterController       RecordKey = 27
	KeyClearElr                 RecordKey = 28
	KeyUnregisterController     RecordKey = 29
)

// frameVersion opens every metadata record's value (KIP-746): it would change if the framing itself did. Frame 0 was
// the preview of Kafka 2.8, which no release can upgrade from.
const frameVersion = 1

// What Parse and ParseControl wrap, for errors.Is.
const (
	// ErrUnknownRecord is an api key or control type that no schema of Kafka 4.4 has.
	ErrUnknownRecord Fault = "unknown metadata record type"
	// ErrUnsupportedVersion is a frame or record version newer than this package knows.
	ErrUnsupportedVersion Fault = "unsupported metadata record version"
	// ErrMalformed is bytes that do not follow the schema.
	ErrMalformed Fault = "malformed metadata record"
)

// AppendTo appends the value of rec as it stands in the metadata log: frame version, api key, record version,
// body. level is the finalized metadata.version; it selects the record's version as Kafka's controller does.
// A record with a field that the level cannot carry is a programming error and panics.
func AppendTo(dst []byte, rec Record, level FeatureLevel) []byte {
	out, err := appendVersion(dst, rec, recordVersion(rec, level))
	if err != nil {
		panic(fmt.Sprintf("metadata: %T at %s %d: %v", rec, MetadataVersionFeature, level, err))
	}
	return out
}

// appendVersion appends rec's value at one version of its schema. The error says which field that version lacks.
func appendVersion(dst []byte, rec Record, version int16) ([]byte, error) {
	c := coder{version: version, buf: dst}
	c.putUvarint(frameVersion)
	c.putUvarint(uint32(rec.APIKey()))
	c.putUvarint(uint32(version))
	rec.walk(&c)
	return c.buf, c.err
}

// Parse reads the value of one record of the metadata log. It takes all of src and keeps none of it. The error
// wraps ErrUnknownRecord, ErrUnsupportedVersion or ErrMalformed and names the record. Tagged fields that the
// schema does not have are skipped (KIP-482).
func Parse(src []byte) (Record, error) {
	c := coder{reading: true, buf: src}
	frame, key, version := c.uvarint(), c.uvarint(), c.uvarint()
	if c.err != nil {
		return nil, fmt.Errorf("%w: frame: %w", ErrMalformed, c.err)
	}
	if frame != frameVersion {
		return nil, fmt.Errorf("%w: frame version %d, want %d", ErrUnsupportedVersion, frame, frameVersion)
	}
	if key > 1<<15-1 || newRecord(RecordKey(key)) == nil {
		return nil, fmt.Errorf("%w: api key %d", ErrUnknownRecord, key)
	}
	rec := newRecord(RecordKey(key))
	if version > uint32(latestVersion(RecordKey(key))) {
		return nil, fmt.Errorf("%w: %s version %d, latest known is %d",
			ErrUnsupportedVersion, RecordKey(key), version, latestVersion(RecordKey(key)))
	}
	c.version = int16(version)
	rec.walk(&c)
	if c.err == nil && len(c.buf) > 0 {
		c.err = errTrailing
	}
	if c.err != nil {
		return nil, fmt.Errorf("%w: %s version %d: %w", ErrMalformed, RecordKey(key), version, c.err)
	}
	return rec, nil
}

// latestVersion is the highest version of each record's schema; all others have only version 0. FeatureLevelRecord
// can never have another, because a reader needs it to find out whether it can read the rest (KIP-778).
func latestVersion(key RecordKey) int16 {
	switch key {
	case KeyRegisterBroker:
		return 4
	case KeyPartition, KeyPartitionChange:
		return 2
	case KeyBrokerRegistrationChange:
		return 3
	default:
		return 0
	}
}

// recordVersion is the version at which Kafka's controller writes rec when metadata.version is level.
func recordVersion(rec Record, level FeatureLevel) int16 {
	switch r := rec.(type) {
	case *RegisterBrokerRecord:
		// Version 0 belongs to levels below MetadataVersionMin: readable, never written.
		switch {
		case level.HasCordonedLogDirs():
			return 4
		case level.HasDirectoryAssignment():
			return 3
		case level.HasMigration():
			return 2
		}
		return 1
	case *PartitionRecord, *PartitionChangeRecord:
		switch {
		case level.HasElr():
			return 2
		case level.HasDirectoryAssignment():
			return 1
		}
		return 0
	case *BrokerRegistrationChangeRecord:
		// Kafka's controller picks the lowest version that has the one field it changes.
		return r.lowestVersion()
	}
	return 0
}

// String is the schema's name, for instance "RegisterBrokerRecord".
func (k RecordKey) String() string {
	if rec := newRecord(k); rec != nil {
		return strings.TrimPrefix(fmt.Sprintf("%T", rec), "*metadata.")
	}
	return fmt.Sprintf("record type %d", int16(k))
}

// newRecord is an empty record of the given key, nil when there is none. It is the one list of all records: Parse,
// String and the tests go by it.
//
//nolint:funlen,cyclop // a flat table
func newRecord(key RecordKey) Record {
	switch key {
	case KeyRegisterBroker:
		return &RegisterBrokerRecord{}
	case KeyUnregisterBroker:
		return &UnregisterBrokerRecord{}
	case KeyTopic:
		return &TopicRecord{}
	case KeyPartition:
		return &PartitionRecord{}
	case KeyConfig:
		return &ConfigRecord{}
	case KeyPartitionChange:
		return &PartitionChangeRecord{}
	case KeyFenceBroker:
		return &FenceBrokerRecord{}
	case KeyUnfenceBroker:
		return &UnfenceBrokerRecord{}
	case KeyRemoveTopic:
		return &RemoveTopicRecord{}
	case KeyDelegationToken:
		return &DelegationTokenRecord{}
	case KeyUserScramCredential:
		return &UserScramCredentialRecord{}
	case KeyFeatureLevel:
		return &FeatureLevelRecord{}
	case KeyClientQuota:
		return &ClientQuotaRecord{}
	case KeyProducerIDs:
		return &ProducerIDsRecord{}
	case KeyBrokerRegistrationChange:
		return &BrokerRegistrationChangeRecord{}
	case KeyAccessControlEntry:
		return &AccessControlEntryRecord{}
	case KeyRemoveAccessControlEntry:
		return &RemoveAccessControlEntryRecord{}
	case KeyNoOp:
		return &NoOpRecord{}
	case KeyZkMigrationState:
		return &ZkMigrationStateRecord{}
	case KeyRemoveUserScram:
		return &RemoveUserScramCredentialRecord{}
	case KeyBeginTransaction:
		return &BeginTransactionRecord{}
	case KeyEndTransaction:
		return &EndTransactionRecord{}
	case KeyAbortTransaction:
		return &AbortTransactionRecord{}
	case KeyRemoveDelegationToken:
		return &RemoveDelegationTokenRecord{}
	case KeyRegisterController:
		return &RegisterControllerRecord{}
	case KeyClearElr:
		return &ClearElrRecord{}
	case KeyUnregisterController:
		return &UnregisterControllerRecord{}
	}
	return nil
}
