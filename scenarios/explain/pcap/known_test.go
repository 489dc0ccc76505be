package pcap_test

import (
	"bytes"
	"encoding/binary"
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/scenarios/explain"
	"github.com/klamm-log/klamm/scenarios/explain/pcap"
	"github.com/klamm-log/klamm/sim"
	"github.com/klamm-log/klamm/sim/simnet"
)

var rewrite = flag.Bool("rewrite", false, "write the packets anew")

// join puts fields behind each other: int16, int32 and int64 big-endian, strings behind their int16 length.
func join(fields ...any) []byte {
	var b []byte
	for _, f := range fields {
		switch f := f.(type) {
		case int8:
			b = append(b, byte(f))
		case int16:
			b = binary.BigEndian.AppendUint16(b, uint16(f))
		case int32:
			b = binary.BigEndian.AppendUint32(b, uint32(f))
		case int64:
			b = binary.BigEndian.AppendUint64(b, uint64(f))
		case string:
			b = append(binary.BigEndian.AppendUint16(b, uint16(len(f))), f...)
		}
	}
	return b
}

// frame puts a length in front.
func frame(fields ...any) []byte {
	b := join(fields...)
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}

// TestKnownVersions writes a conversation in versions that every Kafka dissector knows, spelled from Kafka's protocol
// guide: ApiVersions 0, ListOffsets 1, Fetch 4. scenarios/interop/formats lets tshark read the file.
func TestKnownVersions(t *testing.T) {
	tape := &explain.Tape{Procs: []explain.Proc{{Name: "broker1", Node: 1}, {Name: "client2", Node: core.NoNode, Client: 2}}}
	at := core.Mono(0)
	put := func(side simnet.Side, kind simnet.EventKind, data []byte) {
		at += core.Millisecond
		tape.Packets = append(tape.Packets, explain.Packet{At: at, Event: explain.None, Net: sim.TraceNetwork{
			Hosts: [2]int{1, 0}, Addr: "10.0.0.1:9092", Side: side, Kind: kind, Bytes: data, Why: "closed by peer"}})
	}
	put(simnet.Acceptor, simnet.Opened, nil)
	put(simnet.Dialer, simnet.Opened, nil)
	put(simnet.Acceptor, simnet.Data, frame(int16(18), int16(0), int32(1), "me"))
	put(simnet.Dialer, simnet.Data, frame(int32(1), int16(0), int32(1), int16(1), int16(0), int16(4)))
	list := frame(int16(2), int16(1), int32(2), "me", int32(-1), int32(1), "orders", int32(1), int32(0), int64(-1))
	put(simnet.Acceptor, simnet.Data, list[:9]) // in two pieces
	put(simnet.Acceptor, simnet.Data, list[9:])
	put(simnet.Dialer, simnet.Data, frame(int32(2), int32(1), "orders", int32(1), int32(0), int16(0), int64(-1), int64(5)))
	put(simnet.Acceptor, simnet.Data, frame(int16(1), int16(4), int32(3), "me", int32(-1), int32(500), int32(1), int32(1<<20), int8(0),
		int32(1), "orders", int32(1), int32(0), int64(5), int32(1<<20)))
	put(simnet.Dialer, simnet.Data, frame(int32(3), int32(0), int32(1), "orders", int32(1), int32(0), int16(0), int64(5), int64(5), int32(-1), int32(0)))
	put(simnet.Acceptor, simnet.Closed, nil)

	var b bytes.Buffer
	require.NoError(t, pcap.Write(&b, tape))
	const file = "testdata/known-versions.pcap"
	if *rewrite {
		require.NoError(t, os.WriteFile(file, b.Bytes(), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, want, b.Bytes())
}
