package raft

import (
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/invariant"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/smallfile"
	"github.com/klamm-log/klamm/core/step"
)

// StateFile is the path of the file that makes epoch and vote durable, relative to the data directory.
const StateFile = Dir + "/quorum-state"

// Dir is the metadata partition's directory.
const Dir = "__cluster_metadata-0"

// electionState is what quorum-state holds (Kafka's QuorumStateData.json, data version 1).
type electionState struct {
	LeaderID         core.NodeID      `json:"leaderId"`
	LeaderEpoch      core.LeaderEpoch `json:"leaderEpoch"`
	VotedID          core.NodeID      `json:"votedId"`
	VotedDirectoryID string           `json:"votedDirectoryId"`
	DataVersion      int16            `json:"data_version"`
}

func (s electionState) encode() []byte {
	b, err := json.Marshal(s)
	if err != nil { // a struct of numbers and a string cannot fail
		panic(err)
	}
	return b
}

// parseElectionState reads quorum-state. A missing file is an empty one: epoch 0, nobody led.
func parseElectionState(b []byte) (hardState, error) {
	s := electionState{LeaderID: core.NoNode, VotedID: core.NoNode}
	if len(b) > 0 {
		if err := json.Unmarshal(b, &s); err != nil {
			return hardState{}, fmt.Errorf("%s: %w", StateFile, err)
		}
	}
	if s.DataVersion < 0 || s.DataVersion > 1 {
		return hardState{}, fmt.Errorf("%s: data_version %d is not known", StateFile, s.DataVersion)
	}
	if s.LeaderEpoch < 0 {
		return hardState{}, fmt.Errorf("%s: leaderEpoch %d is negative", StateFile, s.LeaderEpoch)
	}
	h := hardState{epoch: s.LeaderEpoch, leader: s.LeaderID, voted: VoterKey{ID: s.VotedID}}
	if s.VotedDirectoryID != "" {
		dir, err := base64.RawURLEncoding.DecodeString(s.VotedDirectoryID)
		if err != nil || len(dir) != len(h.voted.DirectoryID) {
			return hardState{}, fmt.Errorf("%s: votedDirectoryId %q is no directory id", StateFile, s.VotedDirectoryID)
		}
		copy(h.voted.DirectoryID[:], dir)
	}
	if h.voted.ID < 0 {
		h.voted = nobody()
	}
	return h, nil
}

// hardState is what must survive a power loss before anybody may learn of it.
type hardState struct {
	epoch  core.LeaderEpoch
	voted  VoterKey    // nobody, or whom this node has voted for in the epoch; changes from nobody only
	leader core.NodeID // of the epoch, NoNode while unknown; losing it costs time, not safety
}

func (h hardState) encode() []byte {
	return electionState{
		LeaderID: h.leader, LeaderEpoch: h.epoch, VotedID: h.voted.ID,
		VotedDirectoryID: core.TopicID(h.voted.DirectoryID).String(), DataVersion: 1,
	}.encode()
}

// stateStore is the writing of the hard state. Whatever leaves this node, a vote as well as a request made in a new epoch,
// carries the version of the state under which it was made and leaves when that version is durable ([outbox]). So nobody
// is ever told something that this node could forget (raft's section 5.2, BUGS B2).
type stateStore struct {
	version uint64 // rises with epoch and vote
	durable uint64 // version of what the file durably says
	writing uint64 // version being written
	busy    bool
	dirty   bool // the file differs from memory, be it only by the leader
}

// setHard changes the hard state in memory.
func (q *Quorum) setHard(h hardState) {
	old := q.hard
	if h == old {
		return
	}
	invariant.Always(h.epoch >= old.epoch, "the quorum's epoch never falls", invariant.Details{"from": old.epoch, "to": h.epoch})
	// A vote that is cleared within its epoch is a vote that can be cast twice.
	invariant.Check(h.epoch > old.epoch || old.voted == nobody() || h.voted == old.voted,
		"the vote of epoch %d would change from %v to %v", h.epoch, old.voted, h.voted)
	q.hard, q.store.dirty = h, true
	if h.epoch != old.epoch || h.voted != old.voted {
		q.store.version++
	}
}

// saveState writes the hard state if the file is behind. Not during a truncation: that is a recovery, which removes what
// it takes for unfinished replacements of a crash.
func (q *Quorum) saveState(out *step.Effects) {
	s := &q.store
	if !s.dirty || s.busy || !q.log.Ready() {
		return
	}
	s.busy, s.dirty, s.writing = true, false, s.version
	q.files.Replace(StateFile, q.hard.encode(), tagState, out)
}

// stateSaved takes the completion.
func (q *Quorum) stateSaved() { q.store.busy, q.store.durable = false, q.store.writing }

// stateDurable reports whether epoch and vote, as they are, would survive a power loss.
func (s *stateStore) stateDurable() bool { return s.durable == s.version }

// Tags of small-file requests.
const (
	tagState         smallfile.Tag = iota + 1 // quorum-state is read, or written
	tagSnapshotRead                           // at start-up
	tagSnapshotWrite                          // our own
	tagSnapshotFetch                          // fetched from the leader
)

// noDirectory reports whether a directory id is absent.
func noDirectory(d metadata.DirectoryID) bool { return d == metadata.DirMigrating }
