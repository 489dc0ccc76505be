package sim

import (
	"slices"

	"github.com/klamm-log/klamm/core/conn"
)

// listener is one address that a process serves while its machine wants it to.
type listener struct {
	name, addr string
	config     conn.Config // what is accepted there
	open       bool
}

// announces reports whether all listeners are open: the node serves.
func (p *process) announces() bool {
	return !slices.ContainsFunc(p.listeners, func(l *listener) bool { return !l.open })
}

// listener is the one on an address, nil if there is none.
func (p *process) listener(addr string) *listener {
	for _, l := range p.listeners {
		if l.addr == addr {
			return l
		}
	}
	return nil
}

// updateListeners opens and closes what the machine wants opened and closed.
func (p *process) updateListeners() {
	for _, l := range p.listeners {
		if open := p.listening(p.machine, l.name); open != l.open {
			l.open = open
			if open {
				p.w.net.Listen(l.addr, p.host)
			} else {
				p.w.net.Unlisten(l.addr)
			}
		}
	}
}

func (p *process) stopListening() {
	for _, l := range p.listeners {
		if l.open {
			l.open = false
			p.w.net.Unlisten(l.addr)
		}
	}
}
