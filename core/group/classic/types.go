package classic

import "github.com/klamm-log/klamm/core"
import "github.com/klamm-log/klamm/core/coord"

// Protocol is one protocol that a member supports ("range", "cooperative-sticky" ...), with what it has to say for it.
type Protocol struct {
	Name     string
	Metadata []byte
}

// JoinRequest is a wish to be in the next generation.
type JoinRequest struct {
	Ticket             coord.Ticket
	MemberID           string  // empty for a new member
	InstanceID         *string // nil for a dynamic member (KIP-345)
	ClientID           string
	ClientHost         string
	SessionTimeoutMs   int32
	RebalanceTimeoutMs int32
	ProtocolType       string
	Protocols          []Protocol // in the order of preference; the group keeps them
	// RequireMemberID: a new dynamic member is told its id first and joins with it (KIP-394, version 4).
	RequireMemberID bool
	// SkipAssignment: the client understands that a leader need not assign again (KIP-814, version 9).
	SkipAssignment bool
}

// JoinMember is one member as the leader sees it.
type JoinMember struct {
	ID         string
	InstanceID *string
	Metadata   []byte // for the chosen protocol
}

// JoinResult answers a [JoinRequest].
type JoinResult struct {
	Code           core.ErrorCode
	MemberID       string
	Generation     int32   // -1 with an error
	ProtocolType   *string // nil with an error
	Protocol       *string // nil with an error
	Leader         string
	SkipAssignment bool
	Members        []JoinMember // the leader's only
}

// Assigned is what the leader gives to one member.
type Assigned struct {
	MemberID   string
	Assignment []byte
}

// SyncRequest asks for the member's assignment in a generation; the leader's brings everybody's.
type SyncRequest struct {
	Ticket       coord.Ticket
	MemberID     string
	InstanceID   *string
	Generation   int32
	ProtocolType *string // nil before version 5: not checked (KIP-559)
	Protocol     *string
	Assignments  []Assigned // kept by the group
}

// SyncResult answers a [SyncRequest].
type SyncResult struct {
	Code         core.ErrorCode
	ProtocolType *string
	Protocol     *string
	Assignment   []byte
}

// Answer is the end of a request that a group may have kept waiting; one of Join and Sync is set.
type Answer struct {
	Ticket coord.Ticket
	Join   *JoinResult
	Sync   *SyncResult
}
