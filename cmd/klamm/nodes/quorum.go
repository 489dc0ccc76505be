//go:build !js

package nodes

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
)

// Quorum is what klamm quorum describe tells. Times are in ms.
type Quorum struct {
	Leader        core.NodeID `json:"leader"` // -1 if there is none
	Epoch         int32       `json:"epoch"`
	HighWatermark int64       `json:"high_watermark"`
	Replicas      []QuorumRow `json:"replicas"` // voters, then observers, each by id
	// Strangers are the observers that bear the number of a voter and have another data directory than it (KIP-853): the voter's
	// is lost, or two processes have one number. Neither counts for the other.
	Strangers []core.NodeID `json:"strangers,omitempty"`
}

// QuorumRow is one copy of the metadata log.
type QuorumRow struct {
	Node         core.NodeID `json:"node"`
	Role         string      `json:"role"` // leader, voter or observer
	Directory    string      `json:"directory,omitempty"`
	LogEndOffset int64       `json:"log_end_offset"` // -1 if unknown
	Lag          int64       `json:"lag"`            // behind the leader's end, -1 if unknown
	LastFetch    int64       `json:"last_fetch_ms"`  // ago; -1 if unknown
	CaughtUp     int64       `json:"caught_up_ms"`   // ago; -1 if unknown
	Listeners    []string    `json:"listeners,omitempty"`
}

// NewQuorum makes the result of what the leader said.
func NewQuorum(q kclient.Quorum, now time.Time) Quorum {
	out := Quorum{Leader: q.Leader, Epoch: int32(q.Epoch), HighWatermark: int64(q.HighWatermark), Replicas: []QuorumRow{}}
	end := core.NoOffset
	for _, v := range q.Voters {
		if v.ID == q.Leader {
			end = v.LogEndOffset
		}
	}
	add := func(list []kclient.QuorumReplica, role string) {
		for _, r := range list {
			row := QuorumRow{
				Node: r.ID, Role: role, LogEndOffset: int64(r.LogEndOffset), Lag: -1, LastFetch: ago(r.LastFetch, now), CaughtUp: ago(r.LastCaughtUp, now),
			}
			if r.ID == q.Leader && role == "voter" {
				row.Role = "leader"
			}
			if r.Directory != (kclient.Directory{}) {
				row.Directory = r.Directory.String()
			}
			if end >= 0 && r.LogEndOffset >= 0 {
				row.Lag = max(0, int64(end-r.LogEndOffset))
			}
			for _, l := range r.Listeners {
				row.Listeners = append(row.Listeners, l.Name+"://"+net.JoinHostPort(l.Host, fmt.Sprint(l.Port)))
			}
			out.Replicas = append(out.Replicas, row)
		}
	}
	add(q.Voters, "voter")
	add(q.Observers, "observer")
	for _, o := range q.Observers {
		if slices.ContainsFunc(q.Voters, func(v kclient.QuorumReplica) bool {
			return v.ID == o.ID && v.Directory != o.Directory && o.LastFetch+recent >= v.LastFetch
		}) {
			out.Strangers = append(out.Strangers, o.ID)
		}
	}
	return out
}

// recent is how much longer ago than a voter an observer may have fetched, in ms, to be taken for alive beside it: a quorum remembers a
// voter that was removed for minutes.
const recent = 3000

// ago is how long a time lies back, in ms.
func ago(at core.Wall, now time.Time) int64 {
	if at < 0 {
		return -1
	}
	return max(0, now.UnixMilli()-int64(at))
}

// AppendText implements [show.Result].
func (r Quorum) AppendText(dst []byte) []byte {
	if r.Leader == core.NoNode {
		dst = fmt.Appendf(dst, "no leader, epoch %d, high watermark %d\n", r.Epoch, r.HighWatermark)
	} else {
		dst = fmt.Appendf(dst, "leader %d, epoch %d, high watermark %d\n", r.Leader, r.Epoch, r.HighWatermark)
	}
	rows := [][]string{{"NODE", "ROLE", "END", "LAG", "LAST FETCH", "CAUGHT UP", "DIRECTORY", "LISTENERS"}}
	for _, n := range r.Replicas {
		rows = append(rows, []string{
			fmt.Sprint(n.Node), n.Role, known(n.LogEndOffset), known(n.Lag), since(n.LastFetch), since(n.CaughtUp), n.Directory,
			strings.Join(n.Listeners, ","),
		})
	}
	dst = show.Table(dst, rows...)
	for _, id := range r.Strangers {
		dst = fmt.Appendf(dst, "node %d runs with another data directory than voter %d has, and does not vote\n", id, id)
	}
	return dst
}

func known(n int64) string {
	if n < 0 {
		return "?"
	}
	return fmt.Sprint(n)
}

func since(ms int64) string {
	if ms < 0 {
		return "?"
	}
	return show.Duration(time.Duration(ms)*time.Millisecond) + " ago"
}

// ParseVoter reads the arguments of klamm quorum add and remove: a node id, the id of its directory or nothing, and listeners
// as NAME://host:port.
func ParseVoter(node, directory string, listeners []string) (admin.Voter, error) {
	id, err := strconv.ParseInt(node, 10, 32)
	if err != nil || id < 0 {
		return admin.Voter{}, exit.Errorf(exit.Usage, "%q is no node id", node)
	}
	v := admin.Voter{ID: core.NodeID(id)}
	if directory != "" {
		d, err := kclient.ParseDirectory(directory)
		if err != nil {
			return v, exit.With(exit.Usage, err)
		}
		v.Directory = d
	}
	for _, text := range listeners {
		name, addr, ok := strings.Cut(text, "://")
		host, port, err := net.SplitHostPort(addr)
		n, bad := strconv.ParseUint(port, 10, 16)
		if !ok || name == "" || err != nil || bad != nil || host == "" || n == 0 {
			return v, exit.Errorf(exit.Usage, "--listener %s is not NAME://host:port", text)
		}
		v.Listeners = append(v.Listeners, admin.VoterListener{Name: strings.ToUpper(name), Host: host, Port: uint16(n)})
	}
	return v, nil
}

// DirectoryOf finds the directory of a node among the voters or among the observers.
func DirectoryOf(q kclient.Quorum, id core.NodeID, voter bool) (kclient.Directory, error) {
	list, what := q.Observers, "observer"
	if voter {
		list, what = q.Voters, "voter"
	}
	list = slices.DeleteFunc(slices.Clone(list), func(r kclient.QuorumReplica) bool { return r.ID != id })
	switch {
	case len(list) == 0:
		return kclient.Directory{}, exit.Errorf(exit.Data, "node %d is no %s; klamm quorum describe tells who is", id, what)
	case len(list) > 1:
		return kclient.Directory{}, exit.Errorf(exit.Data, "there are %d %ss with the number %d; choose one by --directory", len(list), what, id)
	}
	return list[0].Directory, nil
}

// VoterDone tells what was done to the quorum.
type VoterDone struct {
	Node      core.NodeID `json:"node"`
	Directory string      `json:"directory"`
	Done      string      `json:"done"`
}

// AppendText implements [show.Result].
func (r VoterDone) AppendText(dst []byte) []byte {
	return fmt.Appendf(dst, "voter %d, directory %s, %s\n", r.Node, r.Directory, r.Done)
}
