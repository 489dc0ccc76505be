package control

import (
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/controller"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// resourceChanges is a request to change the configuration of n resources, in the words of its API.
type resourceChanges struct {
	n      int
	dry    bool // only to be checked
	at     func(i int) metadata.ConfigResource
	decide func(i int, res metadata.ConfigResource) (controller.Refusal, []metadata.Record)
	row    func(i int, refusal controller.Refusal) // appends to the response
}

// alterResources decides on each resource by itself, proposes what is allowed, and answers when the last change is
// committed. A resource that comes twice is refused both times: which of the two was meant to win is not known.
func (p *Plane) alterResources(now core.Now, r *step.Request, resp wire.Response, c *resourceChanges) {
	times := make(map[metadata.ConfigResource]int, c.n)
	for i := range c.n {
		times[c.at(i)]++
	}
	end, altered := core.NoOffset, false
	for i := range c.n {
		res := c.at(i)
		refusal, recs := resourceTwice(), []metadata.Record(nil)
		if times[res] == 1 {
			refusal, recs = c.decide(i, res)
		}
		if refusal.OK() && !c.dry && len(recs) > 0 {
			end, altered = p.propose(now, recs), true
		}
		c.row(i, refusal)
	}
	if !altered {
		p.settle(now, r, nil, resp) // what is refused may rest on what is proposed and not yet committed
		return
	}
	p.answerAfter(r, end, false, 0, answer(r, resp))
}

// ConfigResource is a resource of the wire as the metadata names it.
func ConfigResource(kind kmsg.ConfigResourceType, name string) metadata.ConfigResource {
	return metadata.ConfigResource{Type: metadata.ResourceType(kind), Name: name}
}

func resourceTwice() controller.Refusal {
	return controller.Refusal{Code: core.ErrInvalidRequest, Why: "the resource comes more than once in the request"}
}
