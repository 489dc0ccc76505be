package explain

// Past says of each event whether it can have had a part in the given one: Lamport's happens-before, through messages
// that arrived, the order of one process' steps (its timers and its disk are its own), and faults, which belong to the process
// that they hit. With witnesses, the given event is taken to have seen the state of these processes at that moment, as a
// checker does that compares replicas. An event of the world (None) is one that saw everything.
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
	in[event] = true
	for i := event; i >= 0; i-- {
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
