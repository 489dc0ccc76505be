package modern

import "slices"

// reconcile moves a member one step towards its target and returns it as it will be: m itself if there is nothing to do.
// owned is what the member says it has; ownedSet is false if it did not say. held says who has a partition.
//
// One step: first everything that is not in the target must be given up, under the old epoch; then the member takes the
// epoch of the target with all of its partitions that nobody has; then it waits for the others.
func (m *Member) reconcile(target []Partition, targetEpoch int32, held func(Partition) bool, owned []Partition, ownedSet bool) *Member {
	switch {
	case m.State == Stable && m.Epoch == targetEpoch:
		return m
	case m.State == Unrevoked && ownsAny(m.Revoking, owned, ownedSet):
		return m // still giving up
	}
	next := *m
	epoch := m.Epoch
	if m.State == Unrevoked {
		epoch++ // it has done what its epoch asked for, whatever comes next: its time runs anew
	}
	next.Assigned, next.Revoking = split(m.Assigned, target)
	if len(next.Revoking) > 0 && ownsAny(next.Revoking, owned, ownedSet) {
		return next.moved(m, epoch, Unrevoked)
	}
	next.Revoking = nil
	state := Stable
	for _, p := range target {
		at, has := findHeld(next.Assigned, p)
		switch {
		case has:
		case m.holds(p):
			// It has just said that it has given the partition up, and the target gives it back: nobody else had it.
			next.Assigned = slices.Insert(next.Assigned, at, Held{Partition: p, Since: targetEpoch})
		case held(p):
			state = Unreleased
		default:
			next.Assigned = slices.Insert(next.Assigned, at, Held{Partition: p, Since: targetEpoch})
		}
	}
	return next.moved(m, targetEpoch, state)
}

// moved completes a step: from itself if it leads nowhere.
func (m Member) moved(from *Member, epoch int32, state MemberState) *Member {
	if epoch != from.Epoch {
		m.PreviousEpoch = from.Epoch
	}
	m.Epoch, m.State = epoch, state
	if samePlace(&m, from) {
		return from
	}
	return &m
}

// holds reports whether the member has a partition, assigned or to be revoked.
func (m *Member) holds(p Partition) bool {
	_, assigned := findHeld(m.Assigned, p)
	_, revoking := findHeld(m.Revoking, p)
	return assigned || revoking
}

// split divides what a member has into what the target lets it keep and the rest.
func split(have []Held, target []Partition) (keep, rest []Held) {
	for _, h := range have {
		if _, wanted := slices.BinarySearchFunc(target, h.Partition, Partition.Compare); wanted {
			keep = append(keep, h)
		} else {
			rest = append(rest, h)
		}
	}
	return keep, rest
}

// ownsAny reports whether the member may still have one of the partitions: it says so, or does not say what it has.
func ownsAny(list []Held, owned []Partition, ownedSet bool) bool {
	if !ownedSet {
		return true
	}
	return slices.ContainsFunc(owned, func(p Partition) bool {
		_, found := findHeld(list, p)
		return found
	})
}

// subset reports whether all of owned is assigned.
func subset(owned []Partition, assigned []Held) bool {
	return !slices.ContainsFunc(owned, func(p Partition) bool {
		_, found := findHeld(assigned, p)
		return !found
	})
}
