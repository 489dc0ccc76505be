// Package pcap writes the connections of a recorded run as TCP/IP packets, in the pcap format with nanoseconds, so
// that Wireshark shows what the nodes said to each other with its own Kafka dissector.
//
// The simulated network has connections and no packets. What arrived at one end at one instant becomes packets of that
// instant: a handshake where a connection was opened, segments with the bytes, FIN or RST where an end was told that it is over.
// Sequence numbers, acknowledgements and checksums are right. What was lost on the way is not in the file.
//
// Addresses: node N has 10.0.0.N, its controller listener 10.0.1.N, client N 10.0.2.N. Every listener has port 9092,
// whatever its own port is, because that is where Wireshark expects Kafka. Instants count from the Unix epoch.
package pcap

import (
	"encoding/binary"
	"io"
	"strings"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/scenarios/explain"
	"github.com/klamm-log/klamm/sim/simnet"
)

// Of the file format (draft-ietf-opsawg-pcap): packets begin with an IPv4 header, and instants have nanoseconds.
const (
	magicNanos  = 0xa1b23c4d
	linkTypeRaw = 101
	maxPacket   = 65535
)

// segment is the most bytes that one packet carries: those of a jumbo frame.
const segment = 8948

// TCP flags.
const (
	fin = 1 << iota
	syn
	rst
	psh
	ack
)

// Write writes all packets of a tape.
func Write(w io.Writer, t *explain.Tape) error {
	p := writer{w: w, t: t, conns: make(map[simnet.Conn]*connection)}
	head := make([]byte, 0, 24)
	head = binary.LittleEndian.AppendUint32(head, magicNanos)
	head = binary.LittleEndian.AppendUint16(head, 2)
	head = binary.LittleEndian.AppendUint16(head, 4)
	head = append(head, make([]byte, 8)...)
	head = binary.LittleEndian.AppendUint32(head, maxPacket)
	head = binary.LittleEndian.AppendUint32(head, linkTypeRaw)
	p.put(head)
	for i := range t.Packets {
		p.packet(&t.Packets[i])
	}
	return p.err
}

type writer struct {
	w     io.Writer
	t     *explain.Tape
	conns map[simnet.Conn]*connection
	id    uint16 // of the next IP packet
	buf   []byte
	err   error
}

// connection is what both ends have sent so far, by the side that sends.
type connection struct {
	ends [2]endpoint
	open bool // the handshake has begun
	over bool
}

type endpoint struct {
	ip   [4]byte
	port uint16
	next uint32 // the sequence number of its next byte
}

func (p *writer) put(b []byte) {
	if p.err == nil {
		_, p.err = p.w.Write(b)
	}
}

// packet writes what arrived at one end.
func (p *writer) packet(x *explain.Packet) {
	c := p.connection(x)
	to := x.Net.Side
	from := to.Other()
	switch x.Net.Kind {
	case simnet.Opened:
		if to == simnet.Acceptor {
			p.handshake(x.At, c)
		} else {
			p.send(x.At, c, simnet.Dialer, ack, nil)
		}
	case simnet.Data:
		for b := x.Net.Bytes; len(b) > 0; {
			n := min(len(b), segment)
			p.send(x.At, c, from, psh|ack, b[:n])
			b = b[n:]
		}
	case simnet.Closed:
		if !c.over { // after a reset the other end may get what was under way, and is told later
			p.end(x, c, from)
		}
	}
}

// handshake writes the first two packets of a connection; the third comes with the news at the dialer.
func (p *writer) handshake(at core.Mono, c *connection) {
	c.open = true
	p.send(at, c, simnet.Dialer, syn, nil)
	p.send(at, c, simnet.Acceptor, syn|ack, nil)
}

// end writes how a connection ended: refused, reset, or closed in good order.
func (p *writer) end(x *explain.Packet, c *connection, from simnet.Side) {
	c.over = true
	switch {
	case !c.open:
		p.send(x.At, c, simnet.Dialer, syn, nil)
		p.send(x.At, c, simnet.Acceptor, rst|ack, nil)
	case strings.Contains(x.Net.Why, "closed by peer"):
		p.send(x.At, c, from, fin|ack, nil)
		p.send(x.At, c, from.Other(), fin|ack, nil)
		p.send(x.At, c, from, ack, nil)
	default:
		p.send(x.At, c, from, rst|ack, nil)
	}
}

// port is where Wireshark expects Kafka; ephemeral ports begin where Linux has them.
const (
	port           = 9092
	ephemeral      = 32768
	ephemeralPorts = 28232
)

// connection is a connection's state, made when it is first seen.
func (p *writer) connection(x *explain.Packet) *connection {
	c := p.conns[x.Net.Conn]
	if c == nil {
		id := uint32(x.Net.Conn)
		c = &connection{}
		c.ends[simnet.Dialer] = endpoint{p.dialer(x.Net.Hosts[0]), uint16(ephemeral + id%ephemeralPorts), id * 0x9e3779b1}
		c.ends[simnet.Acceptor] = endpoint{listener(x.Net.Addr), port, id*0x85ebca6b + 1}
		p.conns[x.Net.Conn] = c
	}
	return c
}

// dialer is the address of a process that opens connections.
func (p *writer) dialer(proc int) [4]byte {
	x := &p.t.Procs[proc]
	if x.Node != core.NoNode {
		return [4]byte{10, 0, 0, byte(x.Node)}
	}
	return [4]byte{10, 0, 2, byte(x.Client)}
}

// listener is the address of "10.0.0.3:9092", and of the controller at "10.0.0.3:9093".
func listener(addr string) [4]byte {
	host, at, _ := strings.Cut(addr, ":")
	last := byte(0)
	for _, d := range []byte(host[strings.LastIndexByte(host, '.')+1:]) {
		last = last*10 + d - '0'
	}
	if at != "9092" {
		return [4]byte{10, 0, 1, last}
	}
	return [4]byte{10, 0, 0, last}
}

// Lengths of the headers; neither has options.
const (
	ipHeader  = 20
	tcpHeader = 20
)

// send writes one packet.
func (p *writer) send(at core.Mono, c *connection, from simnet.Side, flags byte, data []byte) {
	src, dst := &c.ends[from], &c.ends[from.Other()]
	size := ipHeader + tcpHeader + len(data)
	b := binary.LittleEndian.AppendUint32(p.buf[:0], uint32(at/core.Second))
	b = binary.LittleEndian.AppendUint32(b, uint32(at%core.Second))
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	start := len(b)
	b = append(b, 0x45, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(size))
	b = binary.BigEndian.AppendUint16(b, p.id)
	b = append(b, 0x40, 0, 64, 6, 0, 0) // never in fragments; 64 hops; TCP; checksum below
	b = append(append(b, src.ip[:]...), dst.ip[:]...)
	binary.BigEndian.PutUint16(b[start+10:], checksum(0, b[start:]))
	b = p.tcp(b, src, dst, flags, data)
	p.id++
	p.buf = b
	p.put(b)
	src.next += uint32(len(data))
	if flags&(syn|fin) != 0 {
		src.next++
	}
}

// tcp appends the TCP header and the data.
func (p *writer) tcp(b []byte, src, dst *endpoint, flags byte, data []byte) []byte {
	start := len(b)
	b = binary.BigEndian.AppendUint16(b, src.port)
	b = binary.BigEndian.AppendUint16(b, dst.port)
	b = binary.BigEndian.AppendUint32(b, src.next)
	acked := dst.next
	if flags&ack == 0 {
		acked = 0
	}
	b = binary.BigEndian.AppendUint32(b, acked)
	b = append(b, 5<<4, flags, 0xff, 0xff, 0, 0, 0, 0)
	b = append(b, data...)
	pseudo := checksumWords(0, src.ip[:]) + checksumWords(0, dst.ip[:]) + 6 + uint32(tcpHeader+len(data))
	binary.BigEndian.PutUint16(b[start+16:], checksum(pseudo, b[start:]))
	return b
}

// checksumWords adds up 16-bit words, the last one filled up with a zero (RFC 1071).
func checksumWords(sum uint32, b []byte) uint32 {
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(b[0])<<8 | uint32(b[1])
		sum = sum&0xffff + sum>>16
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	return sum
}

func checksum(sum uint32, b []byte) uint16 {
	sum = checksumWords(sum&0xffff+sum>>16, b)
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}
