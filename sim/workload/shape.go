package workload

import "github.com/klamm-log/klamm/core"

// Shape is what [Draw] must know of a run.
type Shape struct {
	Brokers int32
	Topics  []TopicShape // that exist from the beginning
	// Churn are names that admins may create and delete during the run; none: no topic churn.
	Churn []string
	// Start and End bound the instants of operations.
	Start, End core.Mono
	Clients    int32 // besides the final reader: 1 to so many; default 6
	// Intensity is how much is done, in thousandths of what suits a run of 10 s; default 1000.
	Intensity int32
	// Request bounds every wait of a client for an answer; sends are given up within four times as much; default 2 s.
	Request core.Mono
}

// TopicShape is a topic that exists from the beginning.
type TopicShape struct {
	Name            string
	Partitions      int32
	MaxMessageBytes int32 // max.message.bytes; default 1 MiB
	// Retention allows operations that let the log start rise by itself.
	Retention bool
}
