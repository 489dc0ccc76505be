package explain

import "strings"

// Promise is what a property demands, in words, and where that is written.
type Promise struct {
	Property string
	Demands  string
	Source   string
}

// PromiseOf is the promise that a property stands for. A property that is not in the table gives a promise without
// words.
func PromiseOf(property string) Promise {
	for _, p := range promises() {
		if p.Property == property {
			return p
		}
	}
	return Promise{Property: property}
}

// promises is the table.
func promises() []Promise {
	var out []Promise
	for line := range strings.Lines(promiseTable) {
		f := strings.SplitN(strings.TrimSpace(line), " | ", 3)
		if len(f) == 3 {
			out = append(out, Promise{f[0], f[1], f[2]})
		}
	}
	return out
}

const promiseTable = `
ACKED-DURABLE | A record that was acknowledged with acks=all stays in the log at its offset, whoever leads. | Kafka's documentation, "Replication"; acks=all with min.insync.replicas
ISR-COMPLETE | Every member of the ISR, and of the ELR, has every committed record on its disk: any of them may be made leader without losing one. | KIP-966; KAFKA-1211's lesson
QUORUM-SUPERSET | The set that a leader waits for before it commits contains every replica that the controller may choose as the next leader. | KIP-497 (maximal ISR), KIP-966 (ELR)
LOG-MATCH | Two replicas hold the same records below both of their HighWatermarks. | KIP-101, KIP-279
EPOCH-UNIQUE | An epoch has one leader, and an offset of an epoch one content. | KIP-101
HW-MONO | What was once shown to be committed stays committed: the HighWatermark of a partition does not go back. | KIP-207; Kafka's documentation, "Replication"
DELETE-RECORDS | What DeleteRecords was acknowledged to have deleted is not served again. | KIP-107
MIN-ISR | Nothing is committed while the ISR is smaller than min.insync.replicas, once ELR is on. | KIP-966
PSTATE-PURE | What a replica holds of idempotent producers follows from its log alone, whether it led, followed, was cut or started again. | KIP-98, KIP-360; KAFKA-5249, KAFKA-9892
TXN-FENCED | A partition takes nothing of a producer, or of a transaction coordinator, that a newer one has fenced there. | KIP-98
LSO-EXACT | The LastStableOffset is the HighWatermark, or the first offset of a transaction whose outcome is not committed. | KIP-98
NO-FENCED-ISR | A fenced broker, or one that is shutting down, is in no ISR of more than one. | KIP-841
LEADER-IN-ISR | The leader is a member of the ISR. | Kafka's controller; KIP-631
CTRL-STATE | The committed cluster state makes sense, and its epochs do not go back. | KIP-631, KIP-497, KIP-455
R-ONE-LEADER | One epoch of the metadata quorum has one leader. | Raft, Election Safety; KIP-595
R-LOG-MATCH | Two metadata logs that agree in the epoch of a record agree in everything up to it. | Raft, Log Matching; KIP-595
R-LEADER-COMPLETE | Who becomes leader of the metadata quorum has every committed record in its log. | Raft, Leader Completeness; KIP-595
R-HW-MONO | What was once known to be committed in the metadata log stays committed. | Raft, State Machine Safety; KIP-595
R-EPOCH-MONO | A voter's epoch does not fall, over restarts neither, and it votes once in an epoch. | Raft, section 5.2; KIP-595
R-MAJORITY-HW | A metadata record counts as committed only when a majority of the voters has it on disk. | Raft, section 5.3 and 5.4.2; KIP-595
R-VOTE-DURABLE | A node's epoch and vote are on its disk before it tells anybody of them. | Raft, section 5.2; KIP-595
R-ONE-CHANGE | A leader changes the voters by one, after a record of its epoch is committed and the change before is. | Ongaro, raft-dev 2015; KIP-853
R-LAST-CONFIG | A leader counts by the last voter set in its log, committed or not. | KIP-853
R-REMOVED-LEADER | A leader that a committed voter set is without resigns. | KIP-853
CTRL-ANSWER | What the controller answers rests on committed metadata, and it takes no heartbeat of a dead registration. | KIP-631
STORED-INTACT | No node stores a batch whose checksum is wrong. | KAFKA-14104
L-RECONFIG | In a healed cluster every node has the same last voter set, or what it had of another is gone. | KIP-853
R-SNAP | A metadata log that does not begin at 0 has a snapshot of what is missing, and a snapshot holds committed records alone. | KIP-630
META-DURABLE | What was acknowledged of topics, their partitions and their settings is in the committed metadata log. | KIP-500, KIP-595
SM-DETERMINISM | A node's image of the cluster is what the committed metadata log says up to its offset. | KIP-500, KIP-630
L-STABLE-LEADER | A healed quorum elects a leader and keeps it. | KIP-595, KIP-996
L-META | In a healed cluster every node catches up with the metadata log. | KIP-595, KIP-630
L-UNFENCE | In a healed cluster every broker is registered and unfenced. | KIP-631
L-ALTER | In a healed cluster no ISR change stays unanswered. | KIP-497
L-LEADER | In a healed cluster every partition has a leader that serves. | KIP-631, KIP-966
L-CATCHUP | In a healed cluster every replica reaches the ISR. | Kafka's documentation, "Replication"
L-REPLICATED | In a healed cluster every replica holds what its leader has committed. | Kafka's documentation, "Replication"
L-REASSIGN | In a healed cluster a reassignment ends. | KIP-455
READ-STABLE | Two reads of one offset return the same record, with the timestamp that its producer was told. | A log is append-only
PHANTOM | A consumer reads what a producer sent, and nothing else. | Jepsen, Kafka checker
G1a | What certainly failed is never read. | Adya's G1a; Jepsen, Kafka checker
TOPIC-ID | A topic that was deleted and created again under its name is another topic. | KIP-516
consume-past-hw | A consumer reads nothing above the HighWatermark. | KAFKA-727
int-nonmonotonic-poll | Inside one poll offsets rise. | Jepsen, Kafka checker
int-poll-skip | Inside one poll no record is left out. | Jepsen, Kafka checker
nonmonotonic-poll | A consumer that does not seek does not go back. | Jepsen, Kafka checker
poll-skip | A consumer that does not seek leaves no record out. | Jepsen, Kafka checker
POSITION-LOST | A consumer whose position is committed is not told that the log ends below it. | KIP-320, KIP-392
offset-gap | Offsets are dense where nothing but records takes them. | Kafka's log
EPOCH-ORDER | Along a log leader epochs do not fall. | KIP-101
lost-write | An acknowledged record is read by whoever reads past its offset. | Jepsen, Kafka checker
unseen | An acknowledged record is read at last. | Jepsen, Kafka checker
inconsistent-offsets | Two records have two offsets. | Jepsen, Kafka checker
duplicate | A record stands in the log once, if its producer is idempotent; otherwise at most once per attempt. | KIP-98; Jepsen, Kafka checker
nonmonotonic-send | What is sent after an acknowledgement comes to stand behind what was acknowledged. | Jepsen, Kafka checker
int-nonmonotonic-send | The records of one send stand in their order. | Jepsen, Kafka checker
OFFSET-REUSED | An offset below a HighWatermark that was shown is never given out again. | Kafka's log
LOG-START-MONO | The start of a log does not go back. | KIP-107
LOG-START-UNEXPLAINED | The start of a log rises for a reason: DeleteRecords or retention. | KIP-107
S-START | The start of a log is not above its HighWatermark. | KIP-107
LIST-OFFSETS-MONO | The first record at or after a timestamp does not move back. | KIP-79
LIST-OFFSETS-TIME | A look-up by time returns the first record at or after it, one for the largest timestamp the first that has it. | KIP-79, KIP-734
S-ORDER | A replica's HighWatermark and durable offset are not above its log end. | Kafka's log
HW-DURABLE | With the policy "commit" nothing is committed that only replica has not fsynced. | docs/DIVERGENCE.md
S-READABLE | What a broker has stored parses, batch after batch, from log start to log end. | Kafka's log format
TXN-ATOMIC | Readers of committed records see all records of a committed transaction, in every partition. | KIP-98
TXN-NO-ABORTED | Readers of committed records see nothing of an aborted transaction. | KIP-98
TXN-NO-OPEN | Readers of committed records see nothing of a transaction before its commit was asked for. | KIP-98
precommitted-read | A transaction does not read its own records. | Jepsen, Kafka checker
EOS | Each input record is reflected once in the committed output of consume, transform, produce. | KIP-98, KIP-447
TXN-NOT-REFUSED | The only producer of a transactional id, whose transaction is not timed out, is never told that it is fenced, out of order, or without a transaction. | KIP-890; KAFKA-18575
BANK-TOTAL | In each view of a reader of committed records the accounts hold what they held at first. | KIP-98; the bank of Jepsen's tests
WORDS-EXACT | The committed counts of a word count are those of the words that it has consumed. | KIP-98, KIP-447
G1c | No circle of transactions has read each other's records. | Adya's G1c; Jepsen, Kafka checker
G-ONE-OWNER | In one generation of a group a partition has one owner. | KIP-848; Kafka's documentation, "Consumers"
G-COMMIT-FENCED | Whoever has lost a partition of its group commits nothing more for it. | KIP-345, KIP-447, KIP-848
G-COMMIT-DURABLE | A committed offset is what the group finds, until another is committed over it or it is deleted. | KIP-98; Kafka's documentation, "Consumers"
G-COMMIT-MONO | A member that keeps a partition commits no less than before. | KIP-320; Jepsen, Redpanda
G-NO-LAGGARD | A dynamic member of a classic group takes part in each generation that it asked for, or is a member no more. | Kafka's documentation, "Consumers"; KIP-345
COORD-COMMITTED | A coordinator serves once all that it has loaded is committed in its leadership. | KAFKA-15345
G-RELOAD-EQ | What a coordinator holds of groups and transactions follows from its log: whoever takes over holds the same. | KIP-447; KAFKA-10284
AT-LEAST-ONCE | A group commits nothing that it has not processed. | Kafka's documentation, "Message Delivery Semantics"
COMPACT-EQ | Compaction leaves the last record of every key, and loses no reader anything that it is owed. | Kafka's documentation, "Log Compaction"; KIP-534
L-GROUP-STABLE | After the faults, each partition of a group has one owner that reads it. | KIP-134, KIP-345, KIP-848
L-CLEAN | After the faults, a compacted log is cleaned. | Kafka's documentation, "Log Compaction"
LINEARIZABLE | The operations on a partition's log can be put into one order that explains all answers. | Herlihy and Wing, 1990; porcupine
L-TXN-COMPLETES | After the faults, every transactional id commits a transaction. | KIP-98; KAFKA-16352
L-LSO | After the faults, no transaction hangs: the LastStableOffset reaches the HighWatermark. | KIP-890, KIP-664
L-PRODUCE | After the faults, sends succeed. | docs/DETERMINISM.md, "What is promised"
L-CONSUME | After the faults, consumers reach the HighWatermark. | docs/DETERMINISM.md, "What is promised"
L-START | After the faults, every broker serves. | docs/DETERMINISM.md, "What is promised"
L-SETTLE | After the faults, every client finishes what it began. | docs/DETERMINISM.md, "What is promised"
L-HEALTHY | After the faults, every broker serves and every log is online. | docs/DETERMINISM.md, "What is promised"
INVARIANT | What the code says of its own state is true after every step. | core/invariant; the panic's text names the rule
SERVED-DAMAGE | A consumer is served no damaged batch. | docs/DETERMINISM.md, "What is promised"
DISK-CONTRACT | The core asks the disk for nothing that its contract does not allow. | core/step, DiskOp
`
