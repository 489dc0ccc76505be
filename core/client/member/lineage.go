package member

// lineage is what the coordinator of a classic group has told a dynamic member. A generation that the member has not asked for would be
// one in which the group went on without it, and that ends its membership.
type lineage struct {
	memberID string
	highest  int32 // generation told under that id
	before   int32 // the highest one told before the present one, noGeneration if there is none
	asked    int64 // tag of the JoinGroup that was first answered with the present one
	blurred  bool  // a JoinGroup under that id was lost, or refused: it may have been executed, and may be yet
}

func newLineage(memberID string) lineage {
	return lineage{memberID: memberID, highest: noGeneration, before: noGeneration}
}

// told takes the answer to a JoinGroup.
func (l *lineage) told(memberID string, generation int32, asked int64) {
	if memberID != l.memberID {
		*l = newLineage(memberID)
	}
	if generation != l.highest {
		l.before, l.asked = l.highest, asked
	}
	l.highest = max(l.highest, generation)
}

// Lineage is the highest generation that a dynamic member of a classic group was told under its present member id before the present
// generation, and the tag of the JoinGroup that got it into that. The generation is -1 if there is none, or if a JoinGroup that nobody
// answered may have got it into one that it was not told.
func (m *Member) Lineage() (before int32, asked int64) {
	l := &m.lineage
	if m.opts.Protocol != Classic || m.opts.InstanceID != "" || l.memberID != m.memberID || l.blurred {
		return noGeneration, 0
	}
	return l.before, l.asked
}
