package sim

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/klamm-log/klamm/core/config"
)

// CapsuleSchema names the format of a stored capsule.
const CapsuleSchema = "klamm.capsule/v1"

// Capsule is a run that can be repeated: its plan with all decisions, what it was found to show, and the hash chain
// that a repetition must reproduce. Seeds rot when generators change; capsules do not.
type Capsule struct {
	Schema    string   `json:"schema"`
	Commit    string   `json:"commit,omitempty"` // of the code that ran, if known
	Toolchain string   `json:"toolchain,omitempty"`
	Plan      Plan     `json:"plan"`
	Verdict   []string `json:"verdict"` // one line per violation
	Events    int64    `json:"events"`
	Chain     []Link   `json:"chain"`
	Shrunk    *Shrunk  `json:"shrunk,omitempty"` // what it was made from; nil: it is as it was found
}

// Shrunk is where a smaller capsule comes from. The seed of its plan only draws what happens during the run, and may be
// another one.
type Shrunk struct {
	Seed    uint64 `json:"seed"` // that the plan was drawn from
	Profile string `json:"profile"`
	Events  int64  `json:"events"` // of the run as it was found
}

// NewCapsule stores a plan with its result and verdict.
func NewCapsule(plan Plan, r Result, verdict []string) Capsule {
	return Capsule{Schema: CapsuleSchema, Plan: plan, Verdict: verdict, Events: r.Events, Chain: r.Chain}
}

// Encode is the capsule as indented JSON.
func (c Capsule) Encode() ([]byte, error) { return json.MarshalIndent(c, "", " ") }

// maxCapsule bounds what ParseCapsule takes: more is no capsule of ours.
const maxCapsule = 256 << 20

// ParseCapsule reads a capsule. Unknown fields are refused: they would be decisions that this code cannot repeat.
func ParseCapsule(b []byte) (Capsule, error) {
	var c Capsule
	if len(b) > maxCapsule {
		return c, fmt.Errorf("capsule: %d bytes are more than any capsule has", len(b))
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return c, fmt.Errorf("capsule: %w", err)
	}
	if c.Schema != CapsuleSchema {
		return c, fmt.Errorf("capsule: schema %q, this program reads %q", c.Schema, CapsuleSchema)
	}
	if err := c.Plan.Validate(); err != nil {
		return c, err
	}
	return c, c.Plan.ValidateConfigs()
}

// limits of a plan: beyond them a run would take more time or memory than any simulation should.
const (
	maxBrokers = 32
	maxClients = 1024
)

// Validate reports the first thing in a plan that cannot be run.
func (p *Plan) Validate() error {
	switch {
	case len(p.Brokers) == 0 || len(p.Brokers) > maxBrokers:
		return fmt.Errorf("plan: %d brokers; 1 to %d can be simulated", len(p.Brokers), maxBrokers)
	case len(p.Clients) > maxClients:
		return fmt.Errorf("plan: %d clients; at most %d can be simulated", len(p.Clients), maxClients)
	case p.Safety < 0 || p.Settle < 0:
		return fmt.Errorf("plan: negative phases %d and %d", p.Safety, p.Settle)
	}
	if err := p.validatePresent(); err != nil {
		return err
	}
	for i := range p.Clients {
		if err := p.Clients[i].Validate(); err != nil {
			return fmt.Errorf("plan: client %d: %w", p.Clients[i].ID, err)
		}
	}
	for _, f := range p.Faults {
		if f.At < 0 || f.Node < 0 || f.Peer < 0 {
			return fmt.Errorf("plan: fault %d has a negative instant or target", f.ID)
		}
	}
	return p.validBuggify()
}

// validatePresent refuses plans in which nobody could ever do anything: without a voter, without a broker for the clients, or with a
// core of nodes that are not there.
func (p *Plan) validatePresent() error {
	brokers, voters := 0, 0
	for i := range p.Brokers {
		b := &p.Brokers[i]
		if b.IsBroker() && !b.Absent {
			brokers++
		}
		if b.IsController() && !b.Late && !b.Absent {
			voters++
		}
	}
	if brokers == 0 && len(p.Clients) > 0 || voters == 0 {
		return fmt.Errorf("plan: %d brokers and %d voters are there; a voter is needed, and a broker where there are clients", brokers, voters)
	}
	for _, i := range p.Core {
		if i < 0 || int(i) >= len(p.Brokers) || p.Brokers[i].Absent {
			return fmt.Errorf("plan: node %d of the core is not there", i)
		}
	}
	return nil
}

// ValidateConfigs reports the first node that its configuration keeps from starting. [Plan.Validate] leaves this out, because
// it takes longer than a short run.
func (p *Plan) ValidateConfigs() error {
	for i := range p.Brokers {
		if _, err := config.ResolveBroker(p.properties(i)); err != nil {
			return fmt.Errorf("plan: the configuration of node %d: %w", i, err)
		}
	}
	return nil
}

// Divergence says where two chains part.
type Divergence struct {
	After  Link // the last link that agrees; zero if none does
	Before Link // the first link that does not, as recorded
	Got    Link // what the repetition had there; zero if it ended earlier
}

// Compare finds the first difference between a recorded chain and a repetition's, nil if there is none.
func Compare(recorded, got []Link) *Divergence {
	var d Divergence
	for i, want := range recorded {
		if i >= len(got) || got[i] != want {
			d.Before = want
			if i < len(got) {
				d.Got = got[i]
			}
			return &d
		}
		d.After = want
	}
	if len(got) > len(recorded) {
		d.Got = got[len(recorded)]
		return &d
	}
	return nil
}

// String names the place of a divergence.
func (d *Divergence) String() string {
	return fmt.Sprintf("the runs agree up to event %d at %d ns and differ by event %d at %d ns (recorded %s, got %s)",
		d.After.Events, d.After.At, max(d.Before.Events, d.Got.Events), max(d.Before.At, d.Got.At), d.Before.Hash, d.Got.Hash)
}
