package scenarios

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Profile says what a seed may draw.
type Profile struct {
	Name string `json:"name"`
	Doc  string `json:"doc"`

	SafetyMs   Range `json:"safety_ms"` // length of the phase with faults
	SettleMs   int64 `json:"settle_ms"` // bound on everything that must happen after it
	Topics     Range `json:"topics"`
	Partitions Range `json:"partitions"` // per topic
	Intensity  Range `json:"intensity"`  // of the workload, 1 to 10
	// VolumeKiB bounds the values that a seed's producers send; 0 is no bound. The few worlds beyond it would take most of the
	// processor's time, to compress and copy what finds nothing new.
	VolumeKiB int64 `json:"volume_kib,omitempty"`
	// KnobsPerMille is the chance of each knob (tiny segments, small reads ...) to be drawn.
	KnobsPerMille int64 `json:"knobs_per_mille"`
	// CompactPerMille is the chance of each topic to be compacted; the brokers then look often for what to compact.
	CompactPerMille int64 `json:"compact_per_mille,omitempty"`
	// BuggifyPerMille is the chance of each unkind place of sim.BuggifyPoints in a seed that has any.
	BuggifyPerMille int64 `json:"buggify_per_mille,omitempty"`
	// ExpectLoss says that the profile's faults may destroy the only copy of a record.
	ExpectLoss bool `json:"expect_loss,omitempty"`
	// Cluster says what clusters are drawn; nil: one broker.
	Cluster *Topology `json:"cluster,omitempty"`
	// Groups says what consumer groups are drawn; nil: none. It wants a cluster.
	Groups *GroupRule `json:"groups,omitempty"`
	// Txns says what transactions are drawn; nil: none. It wants a cluster.
	Txns   *TxnRule    `json:"txns,omitempty"`
	Faults []FaultRule `json:"faults"`
	Disk   []FaultRule `json:"disk"` // of each node by itself
	// Scenes are operations and faults that belong together, in clusters; kind, chance and count of a rule matter.
	Scenes []FaultRule `json:"scenes,omitempty"`
}

// Topology says what clusters a profile draws.
type Topology struct {
	Brokers Range   `json:"brokers"`
	Voters  []int64 `json:"voters"` // numbers of controllers, one of which is drawn
	// SeparatePerMille is the chance of controllers that are no brokers. Combined ones are brokers, too; where there are
	// more controllers than brokers, the others are separate.
	SeparatePerMille int64 `json:"separate_per_mille"`
	LatePerMille     int64 `json:"late_per_mille"`   // chance that a broker comes later
	CorePerMille     int64 `json:"core_per_mille"`   // chance that a core is healed before the others
	VotersPerMille   int64 `json:"voters_per_mille"` // chance that admins change the voters
	WipePerMille     int64 `json:"wipe_per_mille"`   // chance that a node loses its disk
	RacksPerMille    int64 `json:"racks_per_mille"`  // chance that brokers are in racks, and consumers read from the nearest
	CalmPerMille     int64 `json:"calm_per_mille"`   // chance that faults come in bouts, with time to recover between them
	TimeoutsMs       Range `json:"timeouts_ms"`      // of sessions, lag, elections: each is drawn from it
}

// GroupRule says what consumer groups a profile draws.
type GroupRule struct {
	Groups    Range `json:"groups"`    // how many
	Members   Range `json:"members"`   // of each; small numbers are likelier
	Producers Range `json:"producers"` // of all
	// OffsetsPartitions is offsets.topic.num.partitions.
	OffsetsPartitions Range `json:"offsets_partitions"`
	TimeoutsMs        Range `json:"timeouts_ms"` // of sessions; those of rebalances are up to four times as long
}

// TxnRule says what transactions a profile draws.
type TxnRule struct {
	Writers   Range   `json:"writers"`   // transactional ids of writers; a third of them have a zombie beside them
	Pipelines Range   `json:"pipelines"` // groups of pipelines
	Levels    []int64 `json:"levels"`    // of transaction.version
	// StatePartitions is transaction.state.log.num.partitions, OffsetsPartitions offsets.topic.num.partitions.
	StatePartitions   Range `json:"state_partitions"`
	OffsetsPartitions Range `json:"offsets_partitions"`
	TimeoutsMs        Range `json:"timeouts_ms"` // transaction.timeout.ms
	SessionsMs        Range `json:"sessions_ms"` // of the pipelines' groups
	AbortEveryMs      Range `json:"abort_every_ms"`
}

// Range is an inclusive range [least, most].
type Range [2]int64

// FaultRule says how a kind of fault is drawn.
type FaultRule struct {
	Kind     string `json:"kind"`
	PerMille int64  `json:"per_mille"` // chance that a seed has this kind at all
	Count    Range  `json:"count"`     // how many then
	LengthMs Range  `json:"length_ms,omitzero"`
	Amount   Range  `json:"amount,omitzero"`
	After    Range  `json:"after,omitzero"`
	Clients  bool   `json:"clients,omitempty"` // may hit clients too
	Links    bool   `json:"links,omitempty"`   // hits a directed link between a client and a broker
	Nodes    bool   `json:"nodes,omitempty"`   // hits a directed link between two nodes
	// LeaderPerMille is the chance that one of them hits whoever leads the quorum then.
	LeaderPerMille int64 `json:"leader_per_mille,omitempty"`
}

//go:embed profiles/*.json
var profileFiles embed.FS

// CanaryProfile is the name of a profile whose every world must fail: disks forget what they had made durable, and
// nobody is told to expect it. A sweep of it proves that violations are found, stored, repeated and reported.
const CanaryProfile = "canary"

//go:embed canary.json
var canaryFile []byte

// Profiles are the names of the built-in profiles that must hold.
func Profiles() []string {
	entries, err := profileFiles.ReadDir("profiles")
	if err != nil {
		panic(err) // the directory is part of the program
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".json"))
	}
	slices.Sort(names)
	return names
}

// LoadProfile is the built-in profile of that name.
func LoadProfile(name string) (Profile, error) {
	if name == CanaryProfile {
		return ParseProfile(canaryFile)
	}
	b, err := profileFiles.ReadFile("profiles/" + name + ".json")
	if err != nil {
		return Profile{}, fmt.Errorf("there is no profile %q; there are %s", name, strings.Join(Profiles(), ", "))
	}
	return ParseProfile(b)
}

// ParseProfile reads a profile from JSON.
func ParseProfile(b []byte) (Profile, error) {
	var p Profile
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		return p, fmt.Errorf("profile: %w", err)
	}
	for _, r := range []Range{p.SafetyMs, p.Topics, p.Partitions, p.Intensity} {
		if r[0] <= 0 || r[1] < r[0] {
			return p, fmt.Errorf("profile %s: [%d, %d] is not a range of positive numbers", p.Name, r[0], r[1])
		}
	}
	if t := p.Cluster; t != nil && (t.Brokers[0] <= 0 || t.Brokers[1] < t.Brokers[0] || len(t.Voters) == 0 || slices.Min(t.Voters) <= 0 || t.TimeoutsMs[0] <= 0) {
		return p, fmt.Errorf("profile %s: a cluster has brokers, voters and timeouts", p.Name)
	}
	for _, f := range append(slices.Clone(p.Faults), p.Disk...) {
		if f.Count[1] < f.Count[0] || f.LengthMs[1] < f.LengthMs[0] || f.Amount[1] < f.Amount[0] || f.After[1] < f.After[0] {
			return p, fmt.Errorf("profile %s: a range of fault %q ends before it begins", p.Name, f.Kind)
		}
	}
	return p, nil
}
