package txn_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/txn"
)

// actor is a client with a transactional id, as it knows itself; clients may lose answers and go on with what they knew.
type actor struct {
	id string
	p  txn.Producer
}

// history is what a run must not contradict.
type history struct {
	t *rapid.T
	r *rig
	// decided is how the transaction of a marker's producer ends: never in two ways.
	decided map[string]map[txn.Producer]bool
	// given are the producers that clients were given, per id, in order.
	given map[string][]txn.Producer
}

// gave notes who a client is from now on: never somebody who was replaced.
func (h *history) gave(id string, p txn.Producer) {
	list := h.given[id]
	for i, old := range list {
		require.False(h.t, old == p && i < len(list)-1, "%s: %v is given again after %v", id, p, list[i+1:])
	}
	if len(list) == 0 || list[len(list)-1] != p {
		h.given[id] = append(list, p)
	}
}

// hear gives a client an answer, which leaves when it is committed.
func (h *history) hear(a *actor, p txn.Producer) {
	h.r.commit()
	h.gave(a.id, p)
	a.p = p
}

// judge holds the markers against what has been decided.
func (h *history) judge() {
	for _, m := range h.r.sent {
		if h.decided[m.ID] == nil {
			h.decided[m.ID] = make(map[txn.Producer]bool)
		}
		if m.Version < 2 {
			continue // one epoch has several transactions
		}
		commit, known := h.decided[m.ID][m.Producer]
		require.False(h.t, known && commit != m.Commit, "%s: the transaction that ends with %v is torn", m.ID, m.Producer)
		h.decided[m.ID][m.Producer] = m.Commit
	}
}

// step lets one client, the coordinator or time do something.
func (h *history) step(actors []*actor, version txn.Version) {
	t, r := h.t, h.r
	a := actors[rapid.IntRange(0, len(actors)-1).Draw(t, "actor")]
	switch rapid.SampledFrom([]string{"init", "bump", "add", "add", "end", "end", "answer", "answer", "answer", "commit", "commit", "fail", "time", "refuse"}).Draw(t, "step") {
	case "init":
		if p, code := r.init(a.id); code == core.ErrNone {
			h.hear(a, p)
		}
	case "bump":
		if p, code := r.init(a.id, a.p); code == core.ErrNone && rapid.Bool().Draw(t, "heard") {
			h.hear(a, p)
		}
	case "add":
		if r.add(a.id, a.p, version, rapid.Int32Range(0, 3).Draw(t, "partition")) == core.ErrNone {
			require.Equal(t, h.given[a.id][len(h.given[a.id])-1], a.p, "only the last producer writes")
		}
	case "end":
		p, code := r.finish(a.id, a.p, rapid.Bool().Draw(t, "commit"), version)
		if code == core.ErrNone && rapid.Bool().Draw(t, "heard") {
			h.hear(a, p)
		}
	case "answer":
		r.answer(rapid.SampledFrom([]core.ErrorCode{core.ErrNone, core.ErrNone, core.ErrNotLeaderOrFollower, core.ErrInvalidProducerEpoch}).Draw(t, "code"))
	case "commit":
		r.commit()
	case "fail":
		if rapid.Bool().Draw(t, "lossy") {
			r.truncate()
		}
		r.lead(r.shard.Epoch() + 1)
	case "time":
		r.pass(core.Mono(rapid.IntRange(1, 12_000).Draw(t, "ms")) * core.Millisecond)
	case "refuse":
		r.refuse = rapid.SampledFrom([]core.ErrorCode{core.ErrNone, core.ErrNone, core.ErrNotEnoughReplicas}).Draw(t, "refusal")
	}
	r.c().Check()
	h.judge()
}

// Whatever clients do, the live state is the replayed one at every prefix of the log, no transaction ends in two ways, no
// producer comes back after it was replaced, and once all is quiet every transaction is complete.
func TestWhateverHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(t, txn.Version(rapid.SampledFrom([]int16{0, 1, 2}).Draw(t, "level")))
		version := txn.Version(rapid.SampledFrom([]int16{0, 2}).Draw(t, "version of clients"))
		r.auto = rapid.Bool().Draw(t, "auto")
		r.ids = 1_000_000
		h := &history{t: t, r: r, decided: make(map[string]map[txn.Producer]bool), given: make(map[string][]txn.Producer)}
		actors := []*actor{{id: "a"}, {id: "a"}, {id: "b"}}
		for _, a := range actors {
			a.p = txn.Producer{ID: 1}
		}
		var images []string // by the number of batches
		note := func() {
			for len(images) <= len(r.batches) {
				images = append(images, "")
			}
			images = images[:len(r.batches)+1] // what was longer has been lost
			images[len(r.batches)] = image(r.c())
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			h.step(actors, version)
			note()
		}
		for n, live := range images {
			if live != "" {
				require.Equal(t, live, r.replayed(n), "after %d batches", n)
			}
		}
		r.refuse, r.auto = core.ErrNone, true
		for range 5 {
			r.pass(20 * core.Second)
			r.answer(core.ErrNone)
		}
		for id, x := range r.c().All() {
			require.True(t, x.Value().State.Idle(), "%s is %s for ever", id, x.Value().State)
		}
	})
}
