package raft

import (
	"encoding/json"
	"fmt"

	"github.com/klamm-log/klamm/core"
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

// noDirectory is the zero UUID as Kafka prints it.
const noDirectory = "AAAAAAAAAAAAAAAAAAAAAA"

func (s electionState) encode() []byte {
	b, err := json.Marshal(s)
	if err != nil { // a struct of numbers and a string cannot fail
		panic(err)
	}
	return b
}

// parseElectionState reads quorum-state. A missing file is an empty one: epoch 0, nobody led.
func parseElectionState(b []byte) (electionState, error) {
	s := electionState{LeaderID: core.NoNode, VotedID: core.NoNode}
	if len(b) == 0 {
		return s, nil
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("%s: %w", StateFile, err)
	}
	if s.DataVersion < 0 || s.DataVersion > 1 {
		return s, fmt.Errorf("%s: data_version %d is not known", StateFile, s.DataVersion)
	}
	if s.LeaderEpoch < 0 {
		return s, fmt.Errorf("%s: leaderEpoch %d is negative", StateFile, s.LeaderEpoch)
	}
	return s, nil
}
