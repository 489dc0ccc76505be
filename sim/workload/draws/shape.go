package draws

import "github.com/klamm-log/klamm/core"

// Shape is what [Clients] must know of a run.
type Shape struct {
	Brokers int32
	Topics  []TopicShape // that the first client creates at the beginning
	// Churn are names that admins may create and delete during the run; none: no topic churn.
	Churn []string
	// Start and End bound the instants of operations.
	Start, End core.Mono
	Clients    int32 // besides the creator and the reader: 1 to so many; default 6
	// Intensity is how much is done, in thousandths of what suits a run of 10 s; default 1000.
	Intensity int32
	// Request bounds every wait of a client for an answer; sends are given up within four times as much; default 2 s.
	Request core.Mono

	// Replication is the most replicas of a topic, 0 or 1 for one each; topics are reassigned among the brokers only if it
	// is more. Nodes are the ids of the brokers.
	Replication int16
	Nodes       []int32
	// Voters are controllers that admins may remove from the quorum and add again.
	Voters []Controller
	// Tough gives every topic three replicas or more and wants two in sync or more, whoever reassigns or configures it.
	Tough bool
	// Plain makes records that cost little to handle: compression is another profile's matter.
	Plain bool
	// Racks are those of the brokers; three consumers of four are in one of them, and read from the nearest replica (KIP-392).
	Racks []string
}

// Controller is a node of the quorum and where it is found.
type Controller struct {
	ID   int32
	Host string
}

// TopicShape is a topic that exists from the beginning.
type TopicShape struct {
	Name            string
	Partitions      int32
	MaxMessageBytes int32 // max.message.bytes; 0: drawn
	// Retention allows operations that let the log start rise by itself.
	Retention bool
	// Compact gives the topic cleanup.policy=compact, perhaps with delete, keys to every record, and tombstones.
	Compact bool
}

// The clients that every drawn workload has: the one that creates the topics, and the one whose final reads count.
// Others are numbered from FirstID.
const (
	CreatorID int32 = 0
	ReaderID  int32 = 1
	FirstID   int32 = 2
)

func (s Shape) withDefaults() Shape {
	if s.Clients == 0 {
		s.Clients = 6
	}
	if s.Intensity == 0 {
		s.Intensity = 1000
	}
	if s.Request == 0 {
		s.Request = 2 * core.Second
	}
	s.End = max(s.End, s.Start+1)
	return s
}

// scaled is n at the shape's intensity, at least 1.
func (s *Shape) scaled(n int64) int64 { return max(1, n*int64(s.Intensity)/1000) }
