package pcap_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/scenarios"
	"github.com/klamm-log/klamm/scenarios/explain"
	"github.com/klamm-log/klamm/scenarios/explain/explaintest"
	"github.com/klamm-log/klamm/scenarios/explain/pcap"
	"github.com/klamm-log/klamm/sim/simnet"
)

// seen is one packet as a reader of the file sees it.
type seen struct {
	at               core.Mono
	src, dst         [6]byte // address and port
	seq, ack         uint32
	flags            byte
	data             []byte
	ipSum, tcpSumsTo uint16
}

// sum adds up 16-bit words; a right checksum makes 0xffff of everything it covers.
func sum(parts ...[]byte) uint16 {
	total := uint32(0)
	for _, b := range parts {
		for i := range b {
			total += uint32(b[i]) << (8 * (1 - i%2))
		}
	}
	for total > 0xffff {
		total = total&0xffff + total>>16
	}
	return uint16(total)
}

func read(t *testing.T, b []byte) []seen {
	require.Equal(t, uint32(0xa1b23c4d), binary.LittleEndian.Uint32(b))
	require.Equal(t, uint32(101), binary.LittleEndian.Uint32(b[20:]))
	var out []seen
	for b = b[24:]; len(b) > 0; {
		at := core.Mono(binary.LittleEndian.Uint32(b))*core.Second + core.Mono(binary.LittleEndian.Uint32(b[4:]))
		n := binary.LittleEndian.Uint32(b[8:])
		require.Equal(t, n, binary.LittleEndian.Uint32(b[12:]))
		p := b[16 : 16+n]
		b = b[16+n:]
		require.Equal(t, byte(0x45), p[0])
		require.Equal(t, int(n), int(binary.BigEndian.Uint16(p[2:])))
		tcp := p[20:]
		x := seen{at: at, seq: binary.BigEndian.Uint32(tcp[4:]), ack: binary.BigEndian.Uint32(tcp[8:]), flags: tcp[13], data: tcp[20:], ipSum: sum(p[:20])}
		copy(x.src[:], p[12:16])
		copy(x.dst[:], p[16:20])
		copy(x.src[4:], tcp[0:2])
		copy(x.dst[4:], tcp[2:4])
		x.tcpSumsTo = sum(p[12:20], []byte{0, 6}, binary.BigEndian.AppendUint16(nil, uint16(len(tcp))), tcp)
		out = append(out, x)
	}
	return out
}

// The packets of real runs: checksums are right, sequence numbers have no holes, acknowledgements are of what was sent,
// every connection begins with a handshake, and the bytes are those that arrived, in both directions.
func TestPacketsAreTCP(t *testing.T) {
	for _, name := range []string{"default", "cluster", "swarm"} {
		p, err := scenarios.LoadProfile(name)
		require.NoError(t, err)
		tape := explain.Record(scenarios.Draw(2, p))
		var b bytes.Buffer
		require.NoError(t, pcap.Write(&b, tape))
		packets := read(t, b.Bytes())
		require.NotEmpty(t, packets)

		type way struct{ src, dst [6]byte }
		next, open := make(map[way]uint32), make(map[way]bool)
		got, want := 0, 0
		for i, x := range packets {
			require.Equal(t, uint16(0xffff), x.ipSum)
			require.Equal(t, uint16(0xffff), x.tcpSumsTo)
			if i > 0 {
				require.LessOrEqual(t, packets[i-1].at, x.at)
			}
			w, back := way{x.src, x.dst}, way{x.dst, x.src}
			if x.flags&2 != 0 {
				require.Empty(t, x.data)
				next[w], open[w] = x.seq, true
			}
			require.True(t, open[w], "the first packet of a direction is its SYN, or answers one")
			require.Equal(t, next[w], x.seq)
			if x.flags&16 != 0 {
				require.Equal(t, next[back], x.ack)
			}
			if x.flags == 20 && !open[back] {
				t.Fatal("a reset of what never was")
			}
			next[w] += uint32(len(x.data)) + uint32(x.flags>>1&1) + uint32(x.flags&1)
			if x.flags&2 != 0 && x.flags&16 == 0 { // what refuses answers from the same sequence number on
				open[back], next[back] = true, first(packets[i+1:], back.src, back.dst)
			}
			got += len(x.data)
		}
		for i := range tape.Packets {
			if tape.Packets[i].Net.Kind == simnet.Data {
				want += len(tape.Packets[i].Net.Bytes)
			}
		}
		require.Equal(t, want, got)
	}
}

// first is the sequence number of the first packet of a direction.
func first(packets []seen, src, dst [6]byte) uint32 {
	for _, x := range packets {
		if x.src == src && x.dst == dst {
			return x.seq
		}
	}
	return 0
}

func TestAHandshakeComesBeforeData(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, pcap.Write(&b, explaintest.JoinsTooEarly()))
	packets := read(t, b.Bytes())
	require.Len(t, packets, 5)
	require.Equal(t, []byte{2, 18, 16, 24, 24}, []byte{packets[0].flags, packets[1].flags, packets[2].flags, packets[3].flags, packets[4].flags})
	require.Equal(t, [6]byte{10, 0, 2, 3, 0x80, 0}, packets[0].src)
	require.Equal(t, [6]byte{10, 0, 0, 1, 9092 >> 8, 9092 & 0xff}, packets[0].dst)
}
