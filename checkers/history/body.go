package history

import (
	"strconv"

	"github.com/klamm-log/klamm/core"
)

// Topic is one incarnation of a topic, with the settings that decide what a checker may demand of it.
type Topic struct {
	Name string
	// ID is zero when the recorder does not know it. A Send to a zero ID may land in any incarnation of the name;
	// a history that deletes topics must record ids.
	ID core.TopicID
	// Compacted says that a cleaner may remove records below newer ones of the same key.
	Compacted bool
	// Gaps says that offsets may be taken by what no client reads: transaction markers, aborted records.
	Gaps bool
	// Retained says that the log start may rise by retention, not by DeleteRecords alone.
	Retained bool
	// RetentionMs is the least retention.ms that the topic ever has, where age alone makes records due; 0 if that is not known.
	// The clock that says how old they are shows Dawn at the instant 0.
	RetentionMs, Dawn core.Wall
	// Replicated says that several nodes hold it, one of which may answer though it leads no more: counters that it shows
	// are old then, and bind only what the same client sees later (a client never goes back to an older epoch, KIP-320).
	Replicated bool
}

// TopicRef is a topic's number in its Log.
type TopicRef int32

// Place is one partition of one incarnation of a topic.
type Place struct {
	Topic     TopicRef
	Partition int32
}

// Value identifies a record's content: a unique number written into it, or a hash of its payload.
type Value uint64

// Record is one record as it was sent or read.
type Record struct {
	Offset    core.Offset // core.NoOffset when a send was not told
	Value     Value
	Timestamp core.Wall        // as stored; core.NoTimestamp when not known
	Epoch     core.LeaderEpoch // of its batch; core.NoLeaderEpoch when not known
}

// Body is what an event is about: one of the pointer types listed in the package comment, and no other.
type Body interface {
	kind() Kind
	walk(w *walker)
}

// Kind names a body's type without looking at it.
type Kind uint8

// Kinds of events.
const (
	KindSend Kind = iota
	KindPoll
	KindListOffsets
	KindDeleteRecords
	KindCreateTopic
	KindDeleteTopic
	KindSeek
	KindGroup
	KindTxn
	KindInit
	KindTransfer
	KindTally
	KindReplica
	KindScan
	KindNodeChange
	KindLoss
	KindMark
)

const kindWords = "send poll list-offsets delete-records create-topic delete-topic seek group txn init transfer tally replica scan node loss mark"

// String is the word that begins the event's line in the text form.
func (k Kind) String() string { return word(kindWords, uint8(k)) }

// Send is one call to a producer: records for one partition, in order. Start is the call, so that one process'
// sends in order of Start are in the order the application made them.
type Send struct {
	Place
	Acks       int8 // -1 all, 0 none, 1 leader
	Idempotent bool
	// Ordered: the client keeps the order of its calls in each partition without idempotence, by one request in flight (KAFKA-3197).
	Ordered bool
	Promise Promise
	// Attempts is how often the request was handed to a connection; 0 when not known. Without idempotence each
	// attempt may have left a copy.
	Attempts int32
	// LogAppendTime is the broker's answer, core.NoTimestamp when records keep their create time.
	LogAppendTime core.Wall
	// Txn is the transaction that the records belong to, 0 for none.
	Txn TxnID
	// Records carry the assigned offsets of an OK send, and core.NoOffset otherwise and with acks 0.
	Records []Record
}

// AnyCopies is [Send.Copies] where nothing bounds them: far more than any history holds, and small enough to add up.
const AnyCopies = 1 << 40

// Copies is how many copies of each record the send may leave in the log: one with idempotence (KIP-98), otherwise
// one per attempt.
func (s *Send) Copies() int64 {
	switch {
	case s.Idempotent:
		return 1
	case s.Attempts <= 0:
		return AnyCopies
	}
	return int64(s.Attempts)
}

// Poll is one answered read of one partition.
type Poll struct {
	Place
	// From is the fetch position; core.NoOffset when the client does not tell: then the read is taken to continue
	// where the process' last one ended.
	From core.Offset
	// Next is the position afterwards; core.NoOffset means behind the last record.
	Next core.Offset
	// What the response said besides records; core.NoOffset when not known.
	HighWatermark, LastStableOffset, LogStartOffset core.Offset
	Isolation                                       Isolation
	// Follower says that a follower answered (KIP-392): its HighWatermark may lag.
	Follower bool
	// Txn is the transaction in which the process works on what it read, 0 for none.
	Txn     TxnID
	Records []Record
}

// End is the position behind the poll: Next, or behind the last record, or From.
func (p *Poll) End() core.Offset {
	switch {
	case p.Next != core.NoOffset:
		return p.Next
	case len(p.Records) > 0:
		return p.Records[len(p.Records)-1].Offset + 1
	}
	return p.From
}

// Specs of ListOffsets below zero, as on the wire (KIP-79, KIP-734, KIP-405).
const (
	SpecLatest       core.Wall = -1 // HighWatermark, or LastStableOffset when reading committed
	SpecEarliest     core.Wall = -2 // log start
	SpecMaxTimestamp core.Wall = -3
	SpecLocalStart   core.Wall = -4
)

// ListOffsets is one lookup of an offset. The end offset of a partition is the answer to SpecLatest.
type ListOffsets struct {
	Place
	Spec      core.Wall // a Spec constant, or a timestamp: the first record at or after it
	Isolation Isolation
	Offset    core.Offset // core.NoOffset: no such record
	Timestamp core.Wall   // of the record found, core.NoTimestamp for SpecLatest and SpecEarliest
	Epoch     core.LeaderEpoch
}

// DeleteRecords asks to remove everything below Before.
type DeleteRecords struct {
	Place
	Before       core.Offset // core.NoOffset: the HighWatermark
	LowWatermark core.Offset // the answer; core.NoOffset unless OK
}

// CreateTopic made an incarnation of a topic.
type CreateTopic struct {
	Topic      TopicRef
	Partitions int32
}

// DeleteTopic removed an incarnation of a topic.
type DeleteTopic struct {
	Topic TopicRef
}

// Seek sets the read position of its process: an assignment, a seek, a reset after OFFSET_OUT_OF_RANGE or after a
// detected truncation (KIP-320), a revocation. The next poll is not compared with the last one.
type Seek struct {
	Place
	To core.Offset // core.NoOffset when not known
	// Lost says that nobody asked for it: the client was told that its position is not in the log, or that the log was truncated
	// below it (KIP-320).
	Lost bool
}

// GroupStep is what a [Group] event tells.
type GroupStep uint8

// Steps of a consumer group's member.
const (
	Claimed   GroupStep = iota // the partition is the member's, in this generation; told anew in each generation that it is
	Released                   // it is not any more, with or without the member's consent
	Fetched                    // the coordinator told the committed offset
	Committed                  // an offset was to be stored
	Processed                  // the application is done with the offsets from From to To
	Confirmed                  // the coordinator took a request for a member's, and it has been one all the time since the last Claimed
	Deleted                    // a committed offset was to be forgotten, which anybody may ask for (KIP-496)
)

// Group is one step of a consumer group's member in one partition. Released and Processed are instants. So is Claimed, but that it
// starts when the membership that it belongs to began: no request of that had been sent before.
type Group struct {
	Place
	Group      int32 // which group
	Step       GroupStep
	Generation int32       // Claimed, Committed: of the member then
	From       core.Offset // Processed
	To         core.Offset // Processed, Committed; Fetched: core.NoOffset if nothing is committed
	// Ambiguous goes with a commit or a deletion of any outcome: an attempt of it was lost on its way, and may be executed later yet.
	Ambiguous bool
	// Instance goes with Claimed: which group.instance.id the member has, 0 for none. Of those who have the same, whoever joined last
	// is the member, and the others are fenced (KIP-345).
	Instance int32
	// Before goes with Claimed: the highest generation that the member was told under its member id before this one; -1 if there was none,
	// or if it proves nothing. Each generation is one that a dynamic member of a classic group has asked to join, or it is out.
	Before int32
	// Asked goes with Before: when the JoinGroup was sent that got the member into this generation.
	Asked core.Mono
}

// TxnID numbers the transactions of a history, from 1.
type TxnID int64

// Txn is one transaction, from its beginning to what its owner was told of its end. It is recorded for every transaction that
// was begun: whoever died, or gave up, before it asked for a commit has certainly not committed, and whoever died after has an
// outcome of Info.
type Txn struct {
	ID     TxnID
	Writer int32 // which transactional.id
	// Commit says that the owner asked for a commit. Then OK means committed, Fail certainly aborted, Info either. Without it the
	// transaction is never committed, whatever the outcome; OK means that the abort is complete.
	Commit bool
	// Asked is the instant of the first EndTxn, the start of Op where there was none.
	Asked core.Mono
	// Group is the consumer group on whose behalf the offsets of Consumed were to be committed, -1 for none.
	Group int32
	// Refused is why the transaction could not go on: the error that doomed it, or that ended its producer; ErrNone if nothing did.
	Refused core.ErrorCode
	// Consumed are the input offsets that the transaction has worked on: what it committed with SendOffsetsToTransaction is their
	// ends.
	Consumed []Range
}

// Range is a run of offsets [From, To) of a partition.
type Range struct {
	Place
	From, To core.Offset
}

// Init is how a transactional producer came by its producer id or epoch: one InitProducerId and its repetitions (KIP-98, KIP-360). It
// begins with the first attempt. OK means that the producer goes on under what it was given, Fail that it was refused, Info that its
// owner died before it was told.
type Init struct {
	Writer int32 // which transactional.id
	// Lost is how many attempts nobody answered: each may be executed later yet, and fence whoever writes by then.
	Lost int64
}

// Transfer says what a transaction of a bank is about: the record with the value Debit takes Amount from an account, the one with the
// value Credit gives it to another. It is an instant, when the transfer begins.
type Transfer struct {
	Txn           TxnID
	Debit, Credit Value
	Amount        int64
}

// Tally says what one output record of a word count is about: in what its transaction has consumed for a group, a word stands N
// times. It is an instant, when the record is made.
type Tally struct {
	Txn   TxnID
	Group int32
	Value Value // of the output record
	Word  int32
	N     int64
}

// Words is how many words there are.
const Words = 11

// Word is the word that a record with the value is: it follows from the value, so that whoever reads the one knows the other.
func (v Value) Word() int32 { return int32(v % Words) }

// Replica is a look at one replica's counters. Start equals End.
type Replica struct {
	Place
	Node core.NodeID
	// Leader says that this replica leads and may answer clients; only then is its HighWatermark the partition's.
	Leader bool
	// Sole says that it is the only member of the ISR, so that nothing but its own durability carries the promise.
	Sole   bool
	Policy Policy
	Epoch  core.LeaderEpoch
	// LogEndOffset counts what was appended, Durable what a power loss keeps; core.NoOffset when not known.
	LogStartOffset, HighWatermark, LogEndOffset, Durable core.Offset
}

// Scan is a full reading of one replica's stored batches from LogStartOffset to LogEndOffset.
type Scan struct {
	Place
	Node                         core.NodeID
	LogStartOffset, LogEndOffset core.Offset
	Batches                      []Batch
}

// Batch is one stored batch as Scan found it. A BadFrame has only the offset where it was met, in both fields.
type Batch struct {
	Base, Last core.Offset
	Fault      ScanFault
}

// NodeChange is a change of a broker's process.
type NodeChange struct {
	Node   core.NodeID
	State  NodeState
	Policy Policy // the durability policy under which it ran
}

// Loss says that from this instant on the settings permit everything at and above From to be gone, and the
// HighWatermark to be back at From: an unclean election, a lost disk, a power loss under PolicyOS whose durable
// offset is known. Durable records are not excused. PowerLost under PolicyOS implies a Loss of everything.
type Loss struct {
	Place
	From core.Offset
}

// Mark divides the run.
type Mark struct {
	Name MarkName
}

func (*Send) kind() Kind          { return KindSend }
func (*Poll) kind() Kind          { return KindPoll }
func (*ListOffsets) kind() Kind   { return KindListOffsets }
func (*DeleteRecords) kind() Kind { return KindDeleteRecords }
func (*CreateTopic) kind() Kind   { return KindCreateTopic }
func (*DeleteTopic) kind() Kind   { return KindDeleteTopic }
func (*Seek) kind() Kind          { return KindSeek }
func (*Group) kind() Kind         { return KindGroup }
func (*Txn) kind() Kind           { return KindTxn }
func (*Init) kind() Kind          { return KindInit }
func (*Transfer) kind() Kind      { return KindTransfer }
func (*Tally) kind() Kind         { return KindTally }
func (*Replica) kind() Kind       { return KindReplica }
func (*Scan) kind() Kind          { return KindScan }
func (*NodeChange) kind() Kind    { return KindNodeChange }
func (*Loss) kind() Kind          { return KindLoss }
func (*Mark) kind() Kind          { return KindMark }

// String is the topic's label and the partition: "T0/3".
func (p Place) String() string { return string(p.appendTo(nil)) }

func (p Place) appendTo(dst []byte) []byte {
	dst = append(dst, 'T')
	dst = strconv.AppendInt(dst, int64(p.Topic), 10)
	dst = append(dst, '/')
	return strconv.AppendInt(dst, int64(p.Partition), 10)
}
