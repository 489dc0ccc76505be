package cluster

import (
	"github.com/klamm-log/klamm/core"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// CoordinatorKind is what a coordinator is for: the key types of FindCoordinator.
type CoordinatorKind int8

// The kinds of coordinators.
const (
	GroupCoordinator CoordinatorKind = 0
	TxnCoordinator   CoordinatorKind = 1 // from version 1 on
)

// FindCoordinator makes a call, whose owner and reference are the caller's, the question who coordinates a group or a transactional id.
func FindCoordinator(call Call, kind CoordinatorKind, key string) Call {
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.CoordinatorType = int8(kind)
	req.CoordinatorKey, req.CoordinatorKeys = key, []string{key} // up to version 3, and from 4 on (KIP-699)
	call.Body, call.MinVersion = req, int16(kind)
	return call
}

// Coordinator is the answer, and the broker it names is known from now on. The code is why there is none; lost says that there was no answer.
func (c *Cluster) Coordinator(done *Completion, key string) (node core.NodeID, code core.ErrorCode, lost bool) {
	resp, ok := done.Resp.(*kmsg.FindCoordinatorResponse)
	if !ok {
		return core.NoNode, core.ErrNone, true
	}
	row := kmsg.FindCoordinatorResponseCoordinator{ErrorCode: resp.ErrorCode, NodeID: resp.NodeID, Host: resp.Host, Port: resp.Port}
	if resp.Version >= 4 {
		row.ErrorCode = int16(core.ErrUnknownServerError)
		for i := range resp.Coordinators {
			if resp.Coordinators[i].Key == key {
				row = resp.Coordinators[i]
			}
		}
	}
	if code := core.ErrorCode(row.ErrorCode); code != core.ErrNone {
		return core.NoNode, code, false
	}
	node = core.NodeID(row.NodeID)
	c.HintNode(node, row.Host, row.Port)
	return node, core.ErrNone, false
}
