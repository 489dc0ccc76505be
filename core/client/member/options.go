package member

import (
	"fmt"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/assignor"
)

// Protocol is group.protocol.
type Protocol uint8

// The protocols of consumer groups.
const (
	Classic  Protocol = iota // JoinGroup, SyncGroup, Heartbeat: a member assigns; Kafka's default
	Consumer                 // ConsumerGroupHeartbeat: the coordinator assigns (KIP-848)
)

// Options configures a [Member]. The zero value of every field means its default.
type Options struct {
	Group      string // group.id; empty: the client is in no group
	InstanceID string // group.instance.id (KIP-345); empty: a dynamic member
	Protocol   Protocol
	// Assignors is partition.assignment.strategy, the preferred first; default range, cooperative-sticky. The group is
	// rebalanced cooperatively only if every one of them can be (KIP-429).
	Assignors      []assignor.Assignor
	ServerAssignor string // group.remote.assignor, with [Consumer]; empty: the coordinator's choice
	Rack           string // client.rack (KIP-881)

	SessionTimeout    core.Mono // session.timeout.ms, with [Classic]; default 45 s
	HeartbeatInterval core.Mono // heartbeat.interval.ms, with [Classic]; default 3 s
	// RebalanceTimeout is max.poll.interval.ms: how long the application may be without a poll, and the group may wait for
	// this member in a rebalance; default 5 min.
	RebalanceTimeout core.Mono

	ManualCommit       bool      // enable.auto.commit=false
	AutoCommitInterval core.Mono // auto.commit.interval.ms; default 5 s
	CommitTimeout      core.Mono // default.api.timeout.ms of one commit; default 60 s

	// Witness makes the member tell of automatic commits ([Member.Commits]) and of offsets that it fetched
	// ([EventFetched]) too, for those who record what a client was told.
	Witness bool
}

// WithDefaults is o with every zero field replaced by its default.
func (o Options) WithDefaults() Options {
	if len(o.Assignors) == 0 {
		o.Assignors = []assignor.Assignor{assignor.Range, assignor.CooperativeSticky}
	}
	orDefault(&o.SessionTimeout, 45*core.Second)
	orDefault(&o.HeartbeatInterval, 3*core.Second)
	orDefault(&o.RebalanceTimeout, 5*core.Minute)
	orDefault(&o.AutoCommitInterval, 5*core.Second)
	orDefault(&o.CommitTimeout, core.Minute)
	return o
}

// UseAssignor makes one assignor the only one, by Kafka's name; it is false, and nothing is changed, if clients have none of
// that name.
func (o *Options) UseAssignor(name string) bool {
	a, ok := assignor.ByName(name)
	if !ok || a == assignor.Uniform {
		return false
	}
	o.Assignors = []assignor.Assignor{a}
	return true
}

func orDefault(v *core.Mono, d core.Mono) {
	if *v == 0 {
		*v = d
	}
}

// Validate reports the first option that cannot work. Defaults must be filled in.
func (o Options) Validate() error {
	if o.Protocol > Consumer {
		return fmt.Errorf("member: unknown group protocol %d", o.Protocol)
	}
	for i, a := range o.Assignors {
		if a >= assignor.Uniform {
			return fmt.Errorf("member: no assignor %q on clients", a.Name())
		}
		for _, b := range o.Assignors[:i] {
			if a == b {
				return fmt.Errorf("member: assignor %q is listed twice", a.Name())
			}
		}
	}
	for _, d := range []core.Mono{o.SessionTimeout, o.HeartbeatInterval, o.RebalanceTimeout, o.AutoCommitInterval, o.CommitTimeout} {
		if d <= 0 || d > core.Millis(1<<31-1) {
			return fmt.Errorf("member: a duration out of range: %+v", o)
		}
	}
	if o.Protocol == Classic && o.HeartbeatInterval >= o.SessionTimeout {
		return fmt.Errorf("member: heartbeat.interval.ms must be below session.timeout.ms: %+v", o)
	}
	return nil
}

// cooperative reports whether the group may be rebalanced without giving everything up first.
func (o *Options) cooperative() bool {
	for _, a := range o.Assignors {
		if a != assignor.CooperativeSticky {
			return false
		}
	}
	return true
}
