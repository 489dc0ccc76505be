package assignor

// assignRoundRobin deals all partitions, ascending by topic and index, to the members in turn; a member that does not
// subscribe to the topic is passed over and loses its turn. With equal subscriptions the sizes differ by one at most;
// with others the result can be as lopsided as the members' wishes.
func (g *group) assignRoundRobin() []int32 {
	owner := g.nobodys()
	order := g.byInstance()
	next := 0
	for p := range owner {
		for !g.subscribes(order[next], g.topicOf[p]) {
			next = (next + 1) % len(order)
		}
		owner[p] = order[next]
		next = (next + 1) % len(order)
	}
	return owner
}
