package control

import (
	"fmt"

	"github.com/klamm-log/klamm/core"
)

// standing is what the operator has been told of this controller's vote.
type standing struct {
	stranded bool        // that it has none
	looked   core.Offset // up to where the metadata log was applied when the voters were last looked at
}

// checkStanding tells the operator of a controller that bears the number of a voter and is not that voter: its data directory
// is another (KIP-853), new or restored from elsewhere. It may not vote, for the directory that it replaces may have voted and
// acknowledged what this one knows nothing of; but the quorum has one voter less, and only the operator can tell that for
// good. Kafka lets such a node observe in silence.
func (p *Plane) checkStanding(now core.Now) {
	at := p.quorum.Applied().Offset
	if !p.cfg.Roles.Controller || at == p.standing.looked && p.quorum.Role() == "observer" {
		return
	}
	p.standing.looked = at
	if p.quorum.Role() != "observer" {
		if p.standing.stranded {
			p.notices = append(p.notices, "this node votes")
		}
		p.standing.stranded = false
		return
	}
	for _, v := range p.quorum.View(now).Endpoints {
		if v.ID != p.cfg.NodeID || v.DirectoryID == p.opts.Identity || p.standing.stranded {
			continue
		}
		p.standing.stranded = true
		listeners := ""
		for _, e := range v.Endpoints {
			listeners += fmt.Sprintf(" --listener %s://%s", e.Name, JoinHostPort(e.Host, int32(e.Port)))
		}
		p.notices = append(p.notices, fmt.Sprintf("this node does not vote: voter %d of the quorum has the data directory %v, and this one is %v; it follows as an "+
			"observer. If the other is lost, make this one the voter: klamm quorum remove %d, then klamm quorum add %d --directory %v%s",
			v.ID, v.DirectoryID, p.opts.Identity, v.ID, v.ID, p.opts.Identity, listeners))
	}
}

// Notices are what an operator should know that has come up since the last time; valid until the next turn.
func (p *Plane) Notices() []string {
	n := p.notices
	p.notices = p.notices[:0]
	return n
}
