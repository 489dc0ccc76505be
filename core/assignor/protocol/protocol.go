package protocol

import (
	"encoding/binary"
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/assignor"
)

// Type is the protocol type of groups of consumers, as JoinGroup names it.
const Type = "consumer"

// Newest is the highest version of both schemas.
const Newest int16 = 3

// Subscription is what a consumer tells the leader of its group: ConsumerProtocolSubscription.
type Subscription struct {
	Topics   []string
	UserData []byte // of the assignor; nil is null
	// Owned is what the consumer has not given up (version 1, KIP-429). Consumers that give up everything before they
	// join leave it empty.
	Owned []core.TopicPartition
	// Generation is the one in which it got Owned, or [assignor.NoGeneration] (version 2, KIP-792).
	Generation int32
	Rack       string // client.rack, empty if unknown (version 3, KIP-881)
}

// AppendTo appends the subscription in a version from 0 to [Newest]. Fields that the version does not have are left out, as
// Kafka leaves them out. Topics and partitions are written in ascending order, so that equal subscriptions have equal
// bytes: a coordinator takes other bytes for a changed subscription, and rebalances.
func (s Subscription) AppendTo(dst []byte, version int16) []byte {
	topics := slices.Clone(s.Topics)
	slices.Sort(topics)
	dst = binary.BigEndian.AppendUint16(dst, uint16(version))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(topics)))
	for _, topic := range topics {
		dst = appendString(dst, topic)
	}
	dst = appendBytes(dst, s.UserData)
	if version >= 1 {
		dst = appendPartitions(dst, s.Owned)
	}
	if version >= 2 {
		dst = binary.BigEndian.AppendUint32(dst, uint32(s.Generation))
	}
	if version >= 3 {
		if s.Rack == "" {
			return binary.BigEndian.AppendUint16(dst, 0xffff)
		}
		dst = appendString(dst, s.Rack)
	}
	return dst
}

// ParseSubscription reads a subscription and tells its version, which may be newer than [Newest].
func ParseSubscription(src []byte) (s Subscription, version int16, err error) {
	r := reader{src: src}
	version = r.version()
	for range r.count(2) {
		s.Topics = append(s.Topics, r.string())
	}
	s.UserData = r.bytes()
	s.Generation = assignor.NoGeneration
	if version >= 1 {
		s.Owned = r.partitions()
	}
	if version >= 2 {
		s.Generation = max(r.int32(), assignor.NoGeneration)
	}
	if version >= 3 {
		s.Rack = r.nullable()
	}
	if r.err != nil {
		return Subscription{}, version, r.err
	}
	return s, version, nil
}

func (r *reader) version() int16 {
	version := r.int16()
	if version < 0 && r.err == nil {
		r.err = ErrVersion
	}
	return version
}

// Member is the subscriber as an assignor sees it. The sticky assignor works with members that have given up everything
// before they joined, and takes what they had from the user data; cooperative-sticky takes it from the subscription, and
// the generation from the user data only if the subscription is too old to have one.
func (s Subscription) Member(a assignor.Assignor, id, instanceID string) assignor.Member {
	m := assignor.Member{
		ID: id, InstanceID: instanceID, Rack: s.Rack, Topics: s.Topics, Owned: s.Owned, Generation: s.Generation,
	}
	switch {
	case a == assignor.Sticky:
		m.Owned, m.Generation = ParseStickyUserData(s.UserData)
	case a == assignor.CooperativeSticky && s.Generation < 0:
		m.Generation = ParseCooperativeUserData(s.UserData)
	}
	return m
}

// Assignment is what the leader has decided for one consumer: ConsumerProtocolAssignment.
type Assignment struct {
	Partitions []core.TopicPartition
	UserData   []byte // of the assignor; nil is null
}

// AppendTo appends the assignment in a version from 0 to [Newest]; they do not differ.
func (a Assignment) AppendTo(dst []byte, version int16) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(version))
	return appendBytes(appendPartitions(dst, a.Partitions), a.UserData)
}

// ParseAssignment reads an assignment and tells its version. No bytes at all are an empty assignment: what a member gets
// for which the leader has sent none.
func ParseAssignment(src []byte) (a Assignment, version int16, err error) {
	if len(src) == 0 {
		return Assignment{}, 0, nil
	}
	r := reader{src: src}
	version = r.version()
	a.Partitions = r.partitions()
	a.UserData = r.bytes()
	if r.err != nil {
		return Assignment{}, version, r.err
	}
	return a, version, nil
}

// AppendStickyUserData appends the user data of a sticky assignor's subscription, version 1: what the consumer had, and
// in which generation. Unlike the schemas it has no version in front.
func AppendStickyUserData(dst []byte, owned []core.TopicPartition, generation int32) []byte {
	return binary.BigEndian.AppendUint32(appendPartitions(dst, owned), uint32(generation))
}

// ParseStickyUserData reads it, in version 1 or 0, which has no generation. What cannot be read is taken as nothing
// owned: the sender is some other assignor, or wrong, and the group must go on.
func ParseStickyUserData(src []byte) (owned []core.TopicPartition, generation int32) {
	r := reader{src: src}
	owned = r.partitions()
	if r.err != nil {
		return nil, assignor.NoGeneration
	}
	if generation = r.int32(); r.err != nil {
		return owned, assignor.NoGeneration
	}
	return owned, max(generation, assignor.NoGeneration)
}

// AppendCooperativeUserData appends the user data of a cooperative-sticky assignor's subscription: the generation.
func AppendCooperativeUserData(dst []byte, generation int32) []byte {
	return binary.BigEndian.AppendUint32(dst, uint32(generation))
}

// ParseCooperativeUserData reads it; what cannot be read is [assignor.NoGeneration].
func ParseCooperativeUserData(src []byte) (generation int32) {
	r := reader{src: src}
	if generation = r.int32(); r.err != nil {
		return assignor.NoGeneration
	}
	return max(generation, assignor.NoGeneration)
}
