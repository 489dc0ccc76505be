package controller

import (
	"slices"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/metadata"
)

// Heartbeat is a broker's sign of life (KIP-631).
type Heartbeat struct {
	ID             core.NodeID
	Epoch          core.BrokerEpoch
	MetadataOffset core.Offset // of the last record of the metadata log that the broker has applied; -1: none
	WantFence      bool        // it does not want to be unfenced, or wants to be fenced
	WantShutdown   bool        // it wants to leave
	OfflineDirs    []metadata.DirectoryID
}

// HeartbeatAnswer is what the broker should know of itself. It holds once the records that came with it are committed.
type HeartbeatAnswer struct {
	CaughtUp       bool // it has applied its own registration
	Fenced         bool
	ShouldShutDown bool // it may end now
}

// step is what a heartbeat does to the broker's state.
type step int8

const (
	stepNone  step = iota
	stepFence      // unfenced -> fenced
	stepUnfence
	stepLeave // unfenced -> in controlled shutdown
)

// Heartbeat keeps the broker's session and moves its state: fenced, unfenced, in controlled shutdown, gone.
//
// BROKER_ID_NOT_REGISTERED and STALE_BROKER_EPOCH change nothing, the session neither. A heartbeat of a dead incarnation
// must not unfence the rebooted broker before that has caught up (BUGS I2), nor keep it alive.
func (c *Controller) Heartbeat(now core.Now, hb Heartbeat) (Refusal, HeartbeatAnswer, []metadata.Record) {
	b := c.image.Broker(hb.ID)
	if b == nil {
		return refusef(core.ErrBrokerIDNotRegistered, "broker %d is not registered", hb.ID), HeartbeatAnswer{}, nil
	}
	if r := c.checkEpoch(hb.ID, hb.Epoch); !r.OK() {
		return r, HeartbeatAnswer{}, nil
	}
	s := c.soft.touch(hb.ID, now)
	s.offset = max(s.offset, hb.MetadataOffset) // requests may overtake each other
	online, failed := splitDirs(b, hb.OfflineDirs)
	if len(failed) > 0 && len(online) == 0 {
		// A broker without a directory serves nothing. Kafka's record cannot say "no directory left" (an empty list means
		// "no change"), so the broker is fenced instead, and stays so while it says this.
		hb.WantFence, failed = true, nil
	}
	answer := HeartbeatAnswer{CaughtUp: hb.MetadataOffset >= core.Offset(b.Epoch), Fenced: b.Fenced}
	next, end := c.nextStep(b, s, hb, answer.CaughtUp)
	answer.ShouldShutDown = end
	var recs []metadata.Record
	switch next {
	case stepFence:
		recs, answer.Fenced = c.fence(b), true
	case stepLeave:
		recs = c.beginShutdown(b)
	case stepUnfence:
		if len(failed) == 0 { // else at the next heartbeat: the election must not choose what lies in the failed directory
			recs, answer.Fenced = c.unfence(b), false
		}
	case stepNone:
		recs = c.leaveDirs(b, failed)
	}
	if len(failed) > 0 {
		recs = append(recs, &metadata.BrokerRegistrationChangeRecord{BrokerID: b.ID, BrokerEpoch: b.Epoch, LogDirs: online})
	}
	return Refusal{}, answer, recs
}

// Disconnected notes that the connection over which a broker sends its heartbeats has broken. A process that dies takes
// its connections along, so the broker is fenced soon unless it is heard again: a live one connects anew at once.
// Kafka waits for the session to run out, nine seconds by default; fencing early is always safe, and undone by the next
// heartbeat.
func (c *Controller) Disconnected(now core.Now, node core.NodeID, epoch core.BrokerEpoch) {
	if b := c.image.Broker(node); b != nil && b.Epoch == epoch {
		c.soft.lost(b, now)
	}
}

// Ended notes that an earlier life of a broker is certainly over: the process that asks holds the same node's data
// directory, which one process at a time can. Its session needs not run out.
func (c *Controller) Ended(node core.NodeID) {
	if b := c.image.Broker(node); b != nil && !b.Fenced {
		c.soft.ended(b)
	}
}

// nextStep is the table of KIP-631 and KIP-841, with the state that the log has; end says that the broker may end.
func (c *Controller) nextStep(b *metadata.Broker, s *session, hb Heartbeat, caughtUp bool) (next step, end bool) {
	switch {
	case b.Fenced && hb.WantShutdown:
		return stepNone, true
	case b.Fenced && !hb.WantFence && caughtUp:
		// Caught up means that it has applied its registration. A broker further behind could take the leaders of its last
		// life for the present ones.
		return stepUnfence, false
	case b.Fenced:
		return stepNone, false
	case b.InControlledShutdown:
		// The others must know the new leaders first; otherwise clients and followers are sent to a closed port.
		lowest, others := c.soft.lowestActive(c.image)
		if c.index.led[b.ID] > 0 || others && lowest < s.leaving {
			return stepNone, false
		}
		return stepFence, true
	case hb.WantFence:
		return stepFence, hb.WantShutdown
	case hb.WantShutdown && c.index.led[b.ID] > 0:
		return stepLeave, false
	case hb.WantShutdown:
		return stepFence, true
	}
	return stepNone, false
}

// splitDirs divides the registered directories by whether the broker says that they are offline (KIP-858).
func splitDirs(b *metadata.Broker, offline []metadata.DirectoryID) (online, failed []metadata.DirectoryID) {
	if len(offline) == 0 {
		return b.LogDirs, nil
	}
	for _, d := range b.LogDirs {
		if slices.Contains(offline, d) {
			failed = append(failed, d)
		} else {
			online = append(online, d)
		}
	}
	return online, failed
}

// leaveDirs makes the records that take a broker out of the ISRs of what lies in failed directories.
func (c *Controller) leaveDirs(b *metadata.Broker, failed []metadata.DirectoryID) []metadata.Record {
	if len(failed) == 0 {
		return nil
	}
	hit := func(yield func(core.TopicID, int32) bool) {
		for topic, id := range c.index.isr[b.ID].all() {
			d, _ := c.image.Partition(topic, id).Directory(b.ID)
			if slices.Contains(failed, d) && !yield(topic, id) {
				return
			}
		}
	}
	return c.update(nil, hit, func(g *change) { g.gone, g.isr = b.ID, without(g.isr, b.ID) })
}

// checkEpoch refuses what another incarnation of the broker says (KIP-631): each has its own epoch.
func (c *Controller) checkEpoch(node core.NodeID, epoch core.BrokerEpoch) Refusal {
	b := c.image.Broker(node)
	switch {
	case b == nil:
		return refusef(core.ErrStaleBrokerEpoch, "broker %d is not registered", node)
	case b.Epoch != epoch:
		return refusef(core.ErrStaleBrokerEpoch, "broker %d is registered with epoch %d, not %d", node, b.Epoch, epoch)
	}
	return Refusal{}
}
