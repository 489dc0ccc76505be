// Package explaintest has tapes written by hand, for the tests of those who write tapes out.
package explaintest

import (
	"encoding/binary"

	"github.com/klamm-log/klamm/checkers"
	"github.com/klamm-log/klamm/checkers/history"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/wire/facts"
	"github.com/klamm-log/klamm/scenarios"
	"github.com/klamm-log/klamm/scenarios/explain"
	"github.com/klamm-log/klamm/sim"
	"github.com/klamm-log/klamm/sim/simnet"
	"github.com/klamm-log/klamm/sim/workload"
)

// Processes of the tape.
const (
	leader = iota
	follower
	client
)

// Orders is the partition that the tape is about.
func Orders() history.Key { return history.Key{TopicID: core.TopicID{1: 7}} }

// JoinsTooEarly is a tape of two brokers and a client: a record is committed while the follower is cut off, the follower
// comes back, is let into the ISR without it, and that is the violation.
func JoinsTooEarly() *explain.Tape {
	b := builder{t: &explain.Tape{
		Plan: sim.Plan{
			Seed: 7, Profile: "written", Brokers: make([]sim.BrokerPlan, 2), Clients: []workload.Plan{{ID: 3}},
			Faults: []sim.Fault{{ID: 1, Kind: sim.Cut, At: 20 * ms, Until: 60 * ms, Node: leader, Peer: follower}},
		},
		Procs: []explain.Proc{{Name: "broker1", Node: 1}, {Name: "broker2", Node: 2}, {Name: "client3", Node: core.NoNode, Client: 3}},
		Names: []explain.TopicName{{ID: Orders().TopicID, Name: "orders"}},
	}}
	b.at = 0
	b.event(explain.Started, leader, "starts")
	b.event(explain.Started, follower, "starts")
	b.event(explain.Started, client, "starts")
	b.opened(client, leader)
	b.at = 10 * ms
	b.state(explain.Role, leader, "leads orders-0, epoch 0", explain.State{Role: "leader", Leader: 1, End: 4, HW: 4, Durable: 4, ISR: ids(1, 2)})
	b.state(explain.Role, follower, "follows in orders-0, epoch 0", explain.State{Role: "follower", End: 4, HW: 4, Durable: 4})
	b.at = 20 * ms
	b.fault(explain.FaultBegan)
	b.at = 30 * ms
	produce := b.send(client, leader, facts.Message{Text: "orders-0: 1 record, acks=all"}, explain.None, core.NoOffset)
	b.at += ms
	b.arrive(produce)
	b.state(explain.ISR, leader, "has ISR [1] of orders-0", explain.State{Role: "leader", Leader: 1, End: 4, HW: 4, Durable: 4, ISR: ids(1)})
	b.span(explain.Appended, leader, "appends 4 to orders-0 (epoch 0)", 4, 5)
	b.at += ms
	b.span(explain.Mark, leader, "HighWatermark of orders-0: 4 -> 5", 4, 5)
	answer := b.send(leader, client, facts.Message{IsResponse: true, Text: "orders-0 stored from offset 4 on"}, produce, 4)
	b.at += ms
	b.arrive(answer)
	b.span(explain.Op, client, "sends 1 record, acks=all, is told: stored at 4", 4, 5)
	b.at = 60 * ms
	b.fault(explain.FaultEnded)
	b.at = 61 * ms
	for range 200 {
		q := b.send(follower, leader, fetch("replica 2: orders-0 from 4", false), explain.None, 4)
		b.at += ms / 10
		b.arrive(q)
		a := b.send(leader, follower, fetch("orders-0: no records, HighWatermark 4", true), q, core.NoOffset)
		b.at += ms / 10
		b.arrive(a)
	}
	b.at += ms
	b.span(explain.Committed, leader, "committed: orders-0 has leader 1, leader epoch 0, ISR [1 2] (partition epoch 2)", core.NoOffset, core.NoOffset)
	b.event(explain.Broke, leader, "ISR-COMPLETE: node 2 lacks 4")
	return b.finished()
}

const ms = core.Millisecond

func ids(list ...core.NodeID) []core.NodeID { return list }

// fetch is a message of a fetch that brings nothing.
func fetch(text string, isResponse bool) facts.Message {
	m := facts.Message{IsResponse: isResponse, Text: text, Idle: true}
	m.Key, m.Version = 1, 11
	return m
}

type builder struct {
	t  *explain.Tape
	at core.Mono
}

func (b *builder) put(e explain.Event) int32 {
	e.At, e.Begin = b.at, b.at
	b.t.Events = append(b.t.Events, e)
	return int32(len(b.t.Events) - 1)
}

func blank(kind explain.Kind, proc int32, text string) explain.Event {
	return explain.Event{Kind: kind, Proc: proc, Text: text, Msg: explain.None, State: explain.None, Fault: explain.None,
		From: core.NoOffset, To: core.NoOffset}
}

func (b *builder) event(kind explain.Kind, proc int32, text string) { b.put(blank(kind, proc, text)) }

func (b *builder) span(kind explain.Kind, proc int32, text string, from, to core.Offset) {
	e := blank(kind, proc, text)
	e.About, e.Key, e.From, e.To = true, Orders(), from, to
	b.put(e)
}

func (b *builder) state(kind explain.Kind, proc int32, text string, s explain.State) {
	e := blank(kind, proc, text)
	e.About, e.Key, e.State = true, Orders(), int32(len(b.t.States))
	s.Proc, s.Key, s.Voted = proc, Orders(), core.NoNode
	b.t.States = append(b.t.States, s)
	b.put(e)
}

func (b *builder) fault(kind explain.Kind) {
	e := blank(kind, leader, b.t.FaultText(&b.t.Plan.Faults[0]))
	e.Fault = 0
	if kind == explain.FaultEnded {
		e.Text = "over: " + e.Text
	}
	b.put(e)
}

// opened is a connection that both ends know of.
func (b *builder) opened(dialer, acceptor int) {
	for _, side := range []simnet.Side{simnet.Acceptor, simnet.Dialer} {
		b.packet(dialer, acceptor, side, simnet.Opened, nil)
	}
}

func (b *builder) packet(dialer, acceptor int, side simnet.Side, kind simnet.EventKind, data []byte) {
	b.t.Packets = append(b.t.Packets, explain.Packet{At: b.at, Event: explain.None, Net: sim.TraceNetwork{
		Hosts: [2]int{dialer, acceptor}, Addr: "10.0.0.1:9092", Side: side, Kind: kind, Bytes: data,
	}})
}

func (b *builder) send(from, to int32, m facts.Message, answers int32, at core.Offset) int32 {
	m.Parts = []facts.Part{{Topic: "orders", TopicID: Orders().TopicID, From: at, To: core.NoOffset}}
	id := int32(len(b.t.Messages))
	x := explain.Message{Message: m, From: from, To: to, Answers: answers, Arrived: explain.None, Size: 4}
	e := blank(explain.Sent, from, "-> "+b.t.ProcName(to)+": "+x.Name()+", "+m.Text)
	e.Msg = id
	x.Sent = b.put(e)
	b.t.Messages = append(b.t.Messages, x)
	return id
}

func (b *builder) arrive(id int32) {
	m := &b.t.Messages[id]
	e := blank(explain.Arrived, m.To, "<- "+b.t.ProcName(m.From)+": "+m.Name()+", "+m.Text)
	e.Msg = id
	m.Arrived = b.put(e)
	if m.From == client || m.To == client {
		side := simnet.Acceptor
		if m.IsResponse {
			side = simnet.Dialer
		}
		b.packet(client, leader, side, simnet.Data, binary.BigEndian.AppendUint32(nil, 0))
	}
}

func (b *builder) finished() *explain.Tape {
	t := b.t
	t.Broke, t.End = len(t.Events)-1, b.at
	t.Found = checkers.Violation{
		Property: "ISR-COMPLETE", Partition: core.TopicPartition{Topic: "orders"}, TopicID: Orders().TopicID, Offset: 4,
		Message: "node 2 is in ISR [1 2] or ELR [], its log ends at 4, and everything below 5 is committed (at 102000000 ns)",
	}
	t.Present = []checkers.Violation{t.Found}
	t.Verdict.Violations = []scenarios.Violation{{Property: "ISR-COMPLETE", Place: "orders-0@4", Message: t.Found.Message}}
	t.Verdict.Result.Events = int64(len(t.Events))
	t.Store(leader, Orders(), history.Stored{Base: 0, Last: 3, CRC: 0xabc}, history.Stored{Base: 4, Last: 4, CRC: 0xdef})
	t.Store(follower, Orders(), history.Stored{Base: 0, Last: 3, CRC: 0xabc})
	return t
}
