package sim

import (
	"fmt"
	"slices"

	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/broker"
	"github.com/klamm-log/klamm/core/broker/groups"
	"github.com/klamm-log/klamm/core/record"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/sim/workload"
)

// Result is what a run showed.
type Result struct {
	Hash    Hash
	Chain   []Link
	Events  int64
	SimTime core.Mono
	History *history.Log
	Panics  []Panic
	// Stopped is the instant at which faults ended and everything was healed; Settled that at which the clients had
	// done all they wanted, or core.Mono's largest value if they never did.
	Stopped, Settled core.Mono
	// Unsettled says which clients were not done, and what each of them wanted; empty if they settled.
	Unsettled []string
	// Bereft says that a disk was lost, and that no replica of some partition is known to have all that was committed there: Kafka would
	// ask for an unclean election. No client is owed anything then.
	Bereft bool
	// Unhealthy says which brokers were not serving, and which logs were offline, at the end.
	Unhealthy []string
	Faults    []FaultCount // fired, by kind
	Sometimes []FaultCount // points reached, by name
	// Findings are violations that the world found itself; the witness has its own.
	Findings []Finding
	// Owed is what a healed cluster, or its core, had not done in time.
	Owed []history.Owed
	// Damage is what consumers refused as damaged; the first few.
	Damage []string
	// Bounds is the time within which things had to happen after Stopped.
	Bounds core.Mono
	// Abandoned says that the run was over Options.MaxEvents, or given up, before it ended: it shows nothing.
	Abandoned bool
}

// phase of a run, as clients see it.
const (
	phaseSafety = workload.Safety
	phaseSettle = workload.Settle
	phaseFinal  = workload.Final
)

// run is one execution of a plan.
type run struct {
	w       *World
	plan    Plan
	phase   workload.Phase
	brokers []*process
	clients []*process
	history *history.Log
	armed   []Fault // CrashDirty faults that wait for their moment
	fired   map[FaultKind]int64
	points  map[string]int64
	topics  *workload.Topics
	groups  *workload.Groups
	coords  *coordinators  // what group coordinators were seen to know; nil without members
	policy  history.Policy // of the brokers
	seer    *seer          // nil: nobody wants to see the inside
	ref     *reference     // of the committed metadata; nil likewise
	revived int            // brokers started again after the faults
	unkind  [bugs]*int64   // how often each place was unkind; nil: never asked
	codecs  record.Codecs  // of batches on the disks
	limit   int64          // of events; 0: none
	giveUp  func() bool    // may be nil
	askAt   int64          // the event at which giveUp is asked again
	givenUp bool
	result  Result
}

// maxRevivals bounds the restarts of brokers that end after the faults: one that cannot stay up is a finding.
const maxRevivals = 5

// Options are what else a run may have; the zero value has nothing.
type Options struct {
	// Watch sees every event. It slows the run down and changes nothing.
	Watch func(TraceEvent)
	// Witness sees the inside of a cluster; the run ends when it is broken.
	Witness history.Witness
	// MaxEvents abandons a run that has not ended after so many events; 0 is no limit.
	MaxEvents int64
	// GiveUp, if set, is asked now and then, from the run's goroutine, whether to abandon the run.
	GiveUp func() bool
}

// Run executes a plan.
func Run(plan Plan, opts Options) Result {
	r := &run{
		w: newWorld(plan.Seed, plan.Net), plan: plan, history: &history.Log{},
		fired: make(map[FaultKind]int64), points: make(map[string]int64),
	}
	r.w.Watch, r.limit, r.giveUp = opts.Watch, opts.MaxEvents, opts.GiveUp
	r.w.watchNet()
	if opts.Witness != nil && plan.IsCluster() {
		r.seer, r.ref = newSeer(opts.Witness), newReference()
	}
	r.build()
	r.w.runUntil(plan.Safety, r.hopeless)
	if !plan.SafetyOnly {
		r.healCore()
		r.heal()
		r.settle()
	}
	return r.finish()
}

// hopeless ends a run early: a broken invariant is the finding, what follows is noise. So is a run that is too long for
// whoever wants it.
func (r *run) hopeless() bool {
	return r.broken() || r.limit > 0 && r.w.events > r.limit || r.unwanted()
}

// askEvery is how many events lie between two questions whether a run is still wanted.
const askEvery = 1 << 10

func (r *run) unwanted() bool {
	if r.giveUp != nil && r.w.events >= r.askAt {
		r.askAt = r.w.events + askEvery
		r.givenUp = r.givenUp || r.giveUp()
	}
	return r.givenUp
}

func (r *run) broken() bool {
	return len(r.w.panics) > 0 || r.seer != nil && (r.seer.witness.Broken() || len(r.ref.findings) > 0)
}

// build makes the world's processes and its agenda.
func (r *run) build() {
	r.declareTopics()
	var bootstrap []string
	for i := range r.plan.Brokers {
		r.brokers = append(r.brokers, r.w.add(r.node(i)))
		if r.seer != nil {
			r.brokers[i].ears = &ears{}
		}
		if b := &r.plan.Brokers[i]; b.IsBroker() && !b.Absent {
			bootstrap = append(bootstrap, host(i)+clientPort)
		}
	}
	for i := range r.plan.Clients {
		r.clients = append(r.clients, r.w.add(r.client(i, bootstrap)))
	}
	for i, p := range r.w.procs {
		at := core.Mono(0)
		if i < len(r.brokers) {
			at = r.plan.Brokers[i].StartAt
		}
		r.buggify(p)
		r.w.at(at, func() { r.up(p) })
	}
	for _, f := range r.plan.Faults {
		r.scheduleFault(f)
	}
}

// declareTopics tells the recorder what the plan means each topic to promise.
func (r *run) declareTopics() {
	promise := history.Durable
	for i := range r.plan.Brokers {
		for _, p := range r.plan.Brokers[i].Properties {
			if p.Name == "klamm.durability" && p.Value == "os" {
				promise, r.policy = history.UntilPowerLoss, history.PolicyOS
			}
		}
	}
	if r.plan.ExpectLoss {
		promise = history.None
	}
	r.topics = workload.NewTopics(r.history)
	r.groups = workload.NewGroups()
	if workload.HasMembers(r.plan.Clients) { // compaction takes records out, and nobody is promised any one of them
		r.coords = newCoordinators()
		r.topics.Declare(workload.Topic{Name: groups.Topic, Compacted: true, Gaps: true, Retained: true, Replicated: true, Internal: true})
	}
	if len(workload.Writers(r.plan.Clients)) > 0 {
		r.coords = newCoordinators()
		r.topics.Declare(workload.Topic{Name: transactionsTopic, Compacted: true, Gaps: true, Retained: true, Replicated: true, Internal: true})
	}
	for i := range r.plan.Clients {
		for j := range r.plan.Clients[i].Ops {
			if op := &r.plan.Clients[i].Ops[j]; op.Kind == workload.CreateTopic {
				t := workload.Topic{
					Name: op.Topic, AcksAll: promise, AcksLeader: promise,
					Retained:   workload.RetentionIsPlanned(r.plan.Clients, op.Topic) || r.sendsOldRecords(op.Topic),
					Churned:    workload.IsChurned(r.plan.Clients, op.Topic),
					Replicated: workload.IsReplicated(r.plan.Clients, op.Topic),
					Compacted:  workload.IsCompacted(r.plan.Clients, op.Topic),
					Gaps:       workload.IsTransactional(r.plan.Clients, op.Topic),
				}
				if t.Retained && !r.clocksJump() {
					t.RetentionMs, t.Dawn = workload.RetentionMs(r.plan.Clients, op.Topic), epochWall
				}
				if t.Replicated { // a follower may take over without what the leader alone has stored
					t.AcksLeader = history.None
				}
				r.topics.Declare(t)
			}
		}
	}
}

// clocksJump reports whether a fault moves the clock by which some broker knows how old its records are.
func (r *run) clocksJump() bool {
	return slices.ContainsFunc(r.plan.Faults, func(f Fault) bool { return f.Kind == ClockJump && int(f.Node) < len(r.plan.Brokers) })
}

// transactionsTopic is the transaction coordinators' log.
const transactionsTopic = "__transaction_state"

// sendsOldRecords reports whether some client sends records with odd timestamps to a topic: the default retention of
// seven days applies to them at once.
func (r *run) sendsOldRecords(topic string) bool {
	for i := range r.plan.Clients {
		for j := range r.plan.Clients[i].Ops {
			if op := &r.plan.Clients[i].Ops[j]; op.Odd && op.Topic == topic {
				return true
			}
		}
	}
	return false
}

// client is the process of one client of the plan.
func (r *run) client(i int, bootstrap []string) *process {
	plan := r.plan.Clients[i]
	p := &process{name: r.plan.clientName(i), perEvent: core.Microsecond}
	p.onTurn = func(p *process) {
		if p.driver.(*workload.Client).Crashed() { // its plan says so; the next incarnation begins at once
			r.down(p, false)
			r.up(p)
		}
	}
	p.spawn = func(incarnation int64) (step.Machine, Driver) {
		m, c := workload.New(plan, workload.Env{
			Log: r.history, Bootstrap: bootstrap, Topics: r.topics, Groups: r.groups, Seed: r.plan.Seed, Forwarded: r.plan.IsCluster(),
			Phase: func() workload.Phase { return r.phase }, Damage: r.noteDamage,
		}, incarnation)
		return m, c
	}
	return p
}

// maxDamage is how many refusals of consumers are kept.
const maxDamage = 20

func (r *run) noteDamage(tp core.TopicPartition, at core.Offset, what string) {
	if len(r.result.Damage) < maxDamage {
		r.result.Damage = append(r.result.Damage, fmt.Sprintf("%v@%d: %s", tp, at, what))
	}
}

// up starts a process and notes it.
func (r *run) up(p *process) {
	if p.up || r.absent(p) {
		return
	}
	p.start()
	p.node.Reached = func(at step.Point) {
		r.points[at.Message]++
		r.w.tell(TraceEvent{Kind: TracePoint, Proc: p.id, Text: at.Message})
	}
	if p.disk != nil {
		r.started(p)
		r.history.NodeChange(r.w.now, history.NodeChange{Node: core.NodeID(p.id + 1), State: history.Starting, Policy: r.policy})
	}
}

// absent reports whether a process is a node that was taken out of the plan.
func (r *run) absent(p *process) bool {
	return p.id < len(r.plan.Brokers) && r.plan.Brokers[p.id].Absent
}

// down crashes a process and notes it.
func (r *run) down(p *process, powerLoss bool) {
	if !p.up {
		return
	}
	if c, ok := p.driver.(*workload.Client); ok {
		c.Finish(r.w.now)
	}
	p.crash(powerLoss)
	if p.disk != nil {
		r.ended(p)
		state := history.Crashed
		if powerLoss {
			state = history.PowerLost
		}
		r.history.NodeChange(r.w.now, history.NodeChange{Node: core.NodeID(p.id + 1), State: state, Policy: r.policy})
	}
}

// machine is what the world calls of every node's machine.
type machine = *broker.Broker

// shutdown asks a broker to end in good order.
func (r *run) shutdown(p *process) {
	if p.up && p.disk != nil {
		p.machine.(machine).Shutdown()
		p.wake(r.w.now)
	}
}

// brokerTurn looks at a broker after each of its turns: has it begun to serve, halted, moved a HighWatermark?
func (r *run) brokerTurn(p *process) {
	b := p.machine.(machine)
	r.witnessed(p)
	r.coords.look(r, p, b)
	if !p.announced && p.announces() {
		p.announced = true
		r.history.NodeChange(r.w.now, history.NodeChange{Node: core.NodeID(p.id + 1), State: history.Serving, Policy: r.policy})
		r.permitLoss(b)
	}
	for _, v := range b.Moved() {
		if !p.announced {
			break // recovery raises HighWatermarks before anybody can see them
		}
		if v.Opening {
			continue
		}
		r.history.Replica(r.w.now, history.Replica{
			Place: r.place(&v),
			Node:  core.NodeID(p.id + 1), Leader: v.Leader, Sole: !r.topics.Settings(v.TP.Topic).Replicated, Policy: r.policy, Epoch: v.Epoch,
			LogStartOffset: v.LogStartOffset, HighWatermark: v.HighWatermark, LogEndOffset: v.LogEndOffset, Durable: v.DurableOffset,
		})
	}
	if why, clean, halted := b.Halted(); halted {
		p.lastWords = why
		state := history.Crashed
		if clean {
			state = history.Stopped
			r.points["broker.clean-shutdown"]++
		} else {
			r.points["broker.halted"]++
		}
		r.w.tell(TraceEvent{Kind: TraceHalt, Proc: p.id, Text: why})
		p.crash(false)
		r.ended(p)
		r.history.NodeChange(r.w.now, history.NodeChange{Node: core.NodeID(p.id + 1), State: state, Policy: r.policy})
		r.revive(p, clean)
		return
	}
	r.checkArmed(p)
}

// revive starts a broker again that has ended itself. In a cluster with faults whoever looks after it does so after a second, unless
// it was asked to end; after the faults it is at once, since the plan's own restart may have been cut off with them.
func (r *run) revive(p *process, clean bool) {
	wait := core.Second
	switch {
	case r.phase != phaseSafety && r.revived < maxRevivals:
		r.revived++
		wait = 10 * core.Millisecond
	case r.phase != phaseSafety || clean || !r.plan.IsCluster():
		return
	}
	r.w.at(r.w.now+wait, func() {
		if !p.outcast {
			r.up(p)
		}
	})
}

// permitLoss notes, where the plan's faults may destroy the only copy, that what recovery could not find is gone.
func (r *run) permitLoss(b machine) {
	if !r.plan.ExpectLoss {
		return
	}
	for _, v := range b.Replicas() {
		if v.Offline == "" {
			r.history.Loss(r.w.now, history.Loss{Place: r.place(&v), From: v.LogEndOffset})
		}
	}
}

func (r *run) place(v *broker.ReplicaView) history.Place {
	return history.Place{Topic: r.topics.Ref(v.TP.Topic, v.TopicID), Partition: v.TP.Partition}
}

// heal ends the safety phase: no fault lasts, everything that is down or has lost a log to a fault is started anew.
func (r *run) heal() {
	r.phase = phaseSettle
	w := r.w
	w.kind = true
	r.result.Stopped = w.now
	w.net.HealAll(w.now)
	w.refreshNet()
	for _, p := range w.procs {
		r.repair(p)
	}
	r.history.Mark(w.now, history.FaultsStopped)
	w.tell(TraceEvent{Kind: TraceHealed, Proc: -1})
	w.at(w.now+lateDamage, r.restartAiling)
}

// lateDamage is how long after the faults an operation that one of them spoiled may still come back.
const lateDamage = 5 * core.Second

// restartAiling starts brokers anew whose logs went offline by what was under way when the faults ended.
func (r *run) restartAiling() {
	for _, p := range r.brokers {
		if p.up && !p.outcast && ailing(p.machine.(machine)) {
			r.down(p, false)
			r.up(p)
		}
	}
}

// ailing reports whether a broker has a log that only a restart brings back.
func ailing(b machine) bool {
	return slices.ContainsFunc(b.Replicas(), func(v broker.ReplicaView) bool { return v.Offline != "" })
}

// settle gives the clients time to finish what they began, and then lets them read everything.
func (r *run) settle() {
	w := r.w
	bound := w.now + r.plan.Settle
	done := func() bool { return r.allClients((*workload.Client).Done) }
	over := func() bool { return r.hopeless() || done() }
	w.runUntil(bound, over)
	r.result.Settled = never
	if r.seer != nil {
		ready := done()
		r.await(r.core())
		r.awaitCleaners()
		// While that took its time a group may have rebalanced, because the session of a member that died before had ended.
		if ready {
			bound = w.now + r.plan.Settle
		}
		w.runUntil(max(bound, w.now), over)
	}
	if r.hopeless() {
		return
	}
	r.phase = phaseFinal
	if workload.HasFinalReads(r.plan.Clients) {
		r.history.Mark(w.now, history.FinalReads)
	}
	for _, p := range r.clients {
		p.wake(w.now)
	}
	bound = w.now + r.plan.Settle
	w.runUntil(bound, over)
	if done() && !r.serving() { // somebody still recovers when nobody wants anything of it
		w.runUntil(bound, func() bool { return r.hopeless() || r.serving() })
	}
	if done() {
		r.result.Settled = w.now
		return
	}
	r.result.Bereft = r.bereft()
	for _, p := range r.clients {
		if c, ok := p.driver.(*workload.Client); ok && !c.Done() {
			r.result.Unsettled = append(r.result.Unsettled, p.name+" wants "+c.Wants())
		}
	}
}

// serving reports whether all brokers are up and serve.
func (r *run) serving() bool {
	for _, p := range r.brokers {
		if r.absent(p) {
			continue
		}
		if !p.up || !p.machine.(*broker.Broker).Serving() {
			return false
		}
	}
	return true
}

func (r *run) allClients(is func(*workload.Client) bool) bool {
	for _, p := range r.clients {
		if c, ok := p.driver.(*workload.Client); !ok || !is(c) {
			return false
		}
	}
	return true
}

// finish closes the history and gathers what the run showed.
func (r *run) finish() Result {
	w := r.w
	for _, p := range r.clients {
		if c, ok := p.driver.(*workload.Client); ok {
			c.Finish(w.now)
		}
	}
	r.topics.Finish(w.now)
	if r.result.Abandoned = r.hopeless() && !r.broken(); !r.result.Abandoned {
		r.lookBack()
	}
	r.history.Mark(w.now, history.RunEnded)
	out := &r.result
	out.Hash, out.Chain, out.Events, out.SimTime = w.hash, w.chain, w.events, w.now
	out.Chain = append(out.Chain, Link{Events: w.events, At: w.now, Hash: w.hash.String()})
	out.History, out.Panics, out.Bounds = r.history, w.panics, r.plan.Settle
	if r.ref != nil {
		out.Findings = r.ref.findings
	}
	out.Faults, out.Sometimes = r.faultCounts(), sortedCounts(r.points)
	return *out
}

// lookBack looks at what is on the disks in the end, and at the metadata that clients were told of.
func (r *run) lookBack() {
	for _, p := range r.brokers {
		if r.plan.SafetyOnly { // what reading shows is the faults' doing until they are lifted
			p.disk.Heal(r.w.now)
		}
		r.scan(p)
	}
	if !r.broken() {
		if r.ref != nil {
			clear(r.ref.right)
		}
		r.refer(true)
		if !r.plan.SafetyOnly { // else whoever has it committed may be down
			r.durableMetadata()
		}
	}
}

// faultCounts adds up what fired in the world, on the network and on the disks.
func (r *run) faultCounts() []FaultCount {
	all := make(map[string]int64)
	for k, n := range r.fired { //det:unordered sums per key
		all[string(k)] += n
	}
	for i, n := range r.unkind {
		if n != nil {
			all["buggify/"+BuggifyPoints()[i]] = *n
		}
	}
	net := r.w.net.Fired()
	all["net/delayed"], all["net/resets"], all["net/half-open"] = net.Delayed, net.Resets, net.Halved
	all["net/lost-bytes"], all["net/refused"] = net.Lost, net.Refused
	for _, p := range r.brokers {
		for _, c := range p.disk.Counters() {
			all["disk/"+c.Name] += c.N
		}
	}
	return sortedCounts(all)
}

func sortedCounts[K ~string](m map[K]int64) []FaultCount {
	var out []FaultCount
	for k, n := range m { //det:unordered sorted below
		if n > 0 {
			out = append(out, FaultCount{Name: string(k), N: n})
		}
	}
	slices.SortFunc(out, func(a, b FaultCount) int {
		if a.Name < b.Name {
			return -1
		} else if a.Name > b.Name {
			return 1
		}
		return 0
	})
	return out
}
