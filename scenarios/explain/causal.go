package explain

// Past says of each event whether it can have had a part in the given one: Lamport's happens-before, through messages
// that arrived, the order of one process' steps (its timers and its disk are its own), and faults, which belong to the process
// that they hit. With witnesses, the given event is taken to have seen the state of these processes at that moment, as a
// checker does that compares replicas, and the evidence counts as seen, too. An event of the world (None) is one that saw everything.
func (t *Tape) Past(event int, witnesses []int32) []bool {
	in := make([]bool, len(t.Events))
	if event < 0 || event >= len(t.Events) {
		return in
	}
	upTo := make([]int, len(t.Procs)) // each process' last event in the past
	for i := range upTo {
		upTo[i] = None
	}
	see := func(proc int32, event int) {
		if proc >= 0 && int(proc) < len(upTo) {
			upTo[proc] = max(upTo[proc], event)
		}
	}
	see(t.Events[event].Proc, event)
	for _, w := range witnesses {
		see(w, event)
	}
	if t.Events[event].Proc == None && len(witnesses) == 0 {
		for i := range upTo {
			upTo[i] = event
		}
	}
	for _, i := range t.Evidence {
		see(t.Events[i].Proc, i)
	}
	in[event] = true
	for i := t.newest(event); i >= 0; i-- {
		e := &t.Events[i]
		switch {
		case e.Proc == None:
			in[i] = e.Kind == Phase
		case i <= upTo[e.Proc]:
			in[i] = true
			if e.Kind == Arrived {
				m := &t.Messages[e.Msg]
				see(m.From, t.endOfTurn(int(m.Sent)))
			}
		}
	}
	return in
}

// endOfTurn is the last event of the turn in which a message was sent: what the turn changed stands around it.
func (t *Tape) endOfTurn(i int) int {
	e := &t.Events[i]
	for i+1 < len(t.Events) && t.Events[i+1].Proc == e.Proc && t.Events[i+1].At == e.At && t.Events[i+1].Kind == Sent {
		i++
	}
	return i
}

// newest is the last event that a violation rests on: the checkers of histories may have seen the first sign of it before
// the last piece of evidence.
func (t *Tape) newest(event int) int {
	for _, i := range t.Evidence {
		event = max(event, i)
	}
	return event
}
