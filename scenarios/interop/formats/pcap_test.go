package formats

import (
	"encoding/binary"
	"encoding/hex"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/scenarios/interop/harness"
)

// packet is one packet as tshark sees it.
type packet struct {
	number            string
	stream            string
	toServer          bool
	payload           []byte
	bad               bool    // its sequence, its checksums or its length make no sense to tshark
	keys, ids         []int64 // of requests' APIs, and correlation ids, that the Kafka dissector finds
	requests, answers int     // that it finds
	malformed         bool
	expert            string
}

// fields are what tshark prints of a packet, in this order.
var fields = []string{"frame.number", "tcp.stream", "tcp.dstport", "tcp.payload", "tcp.analysis.flags", "ip.checksum.status",
	"tcp.checksum.status", "kafka.request_key", "kafka.response_key", "kafka.len", "_ws.malformed", "_ws.expert.message",
	"kafka.correlation_id"}

func read(t *testing.T, tshark, file string) []packet {
	args := []string{"-r", file, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-T", "fields", "-E", "separator=/t",
		"-E", "occurrence=a", "-E", "aggregator=|"}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	var packets []packet
	for line := range strings.Lines(run(t, "", tshark, args...)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != len(fields) {
			t.Fatalf("tshark printed %d fields: %q", len(f), line)
		}
		p := packet{number: f[0], stream: f[1], toServer: f[2] == "9092", malformed: f[10] != "", expert: f[11]}
		p.keys, p.ids = numbers(t, f[7]), numbers(t, f[12])
		p.bad = f[4] != "" || f[5] != "1" || f[6] != "1"
		if f[9] != "" {
			n := len(strings.Split(f[9], "|"))
			if p.toServer {
				p.requests = n
			} else {
				p.answers = n
			}
		}
		var err error
		if p.payload, err = hex.DecodeString(strings.ReplaceAll(f[3], ":", "")); err != nil {
			t.Fatal(err)
		}
		packets = append(packets, p)
	}
	return packets
}

// numbers reads a field that occurs several times.
func numbers(t *testing.T, field string) []int64 {
	var out []int64
	for word := range strings.SplitSeq(field, "|") {
		if word == "" {
			continue
		}
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, n)
	}
	return out
}

// call is a request that an answer is due for.
type call struct{ key, version int16 }

// misread is what Wireshark 4.0 gets wrong though it claims to know it: it takes the length of ElectLeaders' topic name for
// that of the partitions' array.
func misread(c call) bool { return c == call{43, 2} }

// dialogue is one connection: bytes of each direction that are no frame yet, and requests by their correlation id.
type dialogue struct {
	rest  [2][]byte
	calls map[int32]call
}

// TestPackets: tshark finds nothing wrong with the TCP, its Kafka dissector sees as many requests and answers as there are,
// each answer answers a request, every frame can be decoded, and what the dissector calls malformed is of versions that it
// says it does not know.
func TestPackets(t *testing.T) {
	harness.Install(t, "tshark", "tshark")
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		harness.Missing(t, "there is no tshark")
	}
	file := filepath.Join(t.TempDir(), "run.pcap")
	run(t, "", harness.Build(t), "explain", "--seed", "2", "--profile", "cluster", "--pcap", file)
	packets := read(t, tshark, file)

	dialogues := make(map[string]*dialogue)
	var frames, dissected [2]int // requests, answers
	unknown := unsupported(packets)
	understood, named := 0, 0
	for i := range packets {
		p := &packets[i]
		if p.bad {
			t.Errorf("packet %s: tshark says that its sequence or a checksum is wrong", p.number)
		}
		dissected[0] += p.requests
		dissected[1] += p.answers
		d := dialogues[p.stream]
		if d == nil {
			d = &dialogue{calls: make(map[int32]call)}
			dialogues[p.stream] = d
		}
		way := 1
		if p.toServer {
			way = 0
		}
		d.rest[way] = append(d.rest[way], p.payload...)
		excused := false
		found := d.frames(t, p, way)
		frames[way] += len(found)
		if len(p.ids) == len(found) { // otherwise some began in an earlier packet
			named += p.agrees(t, found, way)
		}
		for _, c := range found {
			if unknown[c.call] || misread(c.call) {
				excused = true
			} else {
				understood++
			}
		}
		if p.malformed && !excused {
			t.Errorf("packet %s: the dissector calls it malformed, and knows its version: %s", p.number, p.expert)
		}
	}
	if frames != dissected {
		t.Errorf("there are %d requests and %d answers, the dissector finds %d and %d", frames[0], frames[1], dissected[0], dissected[1])
	}
	t.Logf("%d packets, %d requests and %d answers in %d connections; the dissector names %d of them right, and knows the versions of %d",
		len(packets), frames[0], frames[1], len(dialogues), named, understood)
	if frames[0] < 300 || frames[1] < 300 || named < (frames[0]+frames[1])*9/10 {
		t.Errorf("%d requests, %d answers, %d named right: that proves nothing", frames[0], frames[1], named)
	}
}

// agrees compares what the dissector calls the messages of a packet with what they are, and counts them.
func (p *packet) agrees(t *testing.T, found []message, way int) int {
	for i, c := range found {
		if p.ids[i] != int64(c.id) || way == 0 && (i >= len(p.keys) || p.keys[i] != int64(c.key)) {
			t.Errorf("packet %s: message %d has key %d and correlation id %d; the dissector says keys %v, ids %v", p.number, i, c.key, c.id, p.keys, p.ids)
		}
	}
	return len(found)
}

// message is one frame's call and correlation id.
type message struct {
	call
	id int32
}

// frames cuts whole frames out of what has come, and decodes them with kmsg.
func (d *dialogue) frames(t *testing.T, p *packet, way int) []message {
	var out []message
	for len(d.rest[way]) >= 4 {
		size := int(binary.BigEndian.Uint32(d.rest[way]))
		if len(d.rest[way]) < 4+size {
			return out
		}
		frame := d.rest[way][4 : 4+size]
		d.rest[way] = d.rest[way][4+size:]
		if way == 0 {
			out = append(out, d.request(t, p, frame))
		} else {
			out = append(out, d.answer(t, p, frame))
		}
	}
	return out
}

func (d *dialogue) request(t *testing.T, p *packet, frame []byte) message {
	c := call{int16(binary.BigEndian.Uint16(frame)), int16(binary.BigEndian.Uint16(frame[2:]))}
	m := message{c, int32(binary.BigEndian.Uint32(frame[4:]))}
	d.calls[m.id] = c
	r := kmsg.RequestForKey(c.key)
	if r == nil {
		t.Errorf("packet %s: no API has key %d", p.number, c.key)
		return m
	}
	r.SetVersion(c.version)
	body := frame[10:]
	if n := int(int16(binary.BigEndian.Uint16(frame[8:]))); n > 0 {
		body = body[n:]
	}
	if r.IsFlexible() {
		body = body[1:] // no tags
	}
	if err := r.ReadFrom(body); err != nil {
		t.Errorf("packet %s: %s version %d: %v", p.number, kmsg.NameForKey(c.key), c.version, err)
	}
	return m
}

func (d *dialogue) answer(t *testing.T, p *packet, frame []byte) message {
	id := int32(binary.BigEndian.Uint32(frame))
	c, ok := d.calls[id]
	if !ok {
		t.Errorf("packet %s: an answer with correlation id %d, which nobody asked", p.number, id)
		return message{c, id}
	}
	delete(d.calls, id)
	r := kmsg.ResponseForKey(c.key)
	r.SetVersion(c.version)
	body := frame[4:]
	if r.IsFlexible() && c.key != int16(kmsg.ApiVersions) { // its header has no tags (KIP-511)
		body = body[1:]
	}
	if err := r.ReadFrom(body); err != nil {
		t.Errorf("packet %s: answer to %s version %d: %v", p.number, kmsg.NameForKey(c.key), c.version, err)
	}
	return message{c, id}
}

// unsupported are the versions that occur and of which the dissector says that it does not know them, or not the API.
func unsupported(packets []packet) map[call]bool {
	tooNew := regexp.MustCompile(`Unsupported (\w+) version\. Supports v(\d+)(?:-(\d+))?\.`)
	noSuch := regexp.MustCompile(`Unknown (\d+) API key`)
	out := make(map[call]bool)
	for i := range packets {
		for _, m := range tooNew.FindAllStringSubmatch(packets[i].expert, -1) {
			most := m[2]
			if m[3] != "" {
				most = m[3]
			}
			last, _ := strconv.Atoi(most) //nolint:errcheck // digits
			for key := range int16(100) {
				if dissectorName(key) == m[1] {
					for v := int16(last) + 1; v < 40; v++ {
						out[call{key, v}] = true
					}
				}
			}
		}
		for _, m := range noSuch.FindAllStringSubmatch(packets[i].expert, -1) {
			key, _ := strconv.Atoi(m[1]) //nolint:errcheck // digits
			for v := range int16(40) {
				out[call{int16(key), v}] = true
			}
		}
	}
	return out
}

// dissectorName is what Wireshark calls an API.
func dissectorName(key int16) string {
	switch name := kmsg.NameForKey(key); name {
	case "ListOffsets":
		return "Offsets"
	case "InitProducerID":
		return "InitProducerId"
	case "AlterPartitionAssignments":
		return "AlterPartitionReassignments"
	default:
		return name
	}
}

// TestKnownVersions: of versions that it knows the dissector finds nothing malformed and nothing to remark, down to the bodies,
// and the request of each answer. The file is the one that the unit test of the writer compares with.
func TestKnownVersions(t *testing.T) {
	harness.Install(t, "tshark", "tshark")
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		harness.Missing(t, "there is no tshark")
	}
	file := filepath.Join(harness.Module(t), "..", "explain", "pcap", "testdata", "known-versions.pcap")
	requests, answers := 0, 0
	for _, p := range read(t, tshark, file) {
		if p.bad || p.malformed || strings.Contains(p.expert, "Unsupported") || strings.Contains(p.expert, "missing") {
			t.Errorf("packet %s: wrong to tshark: %s", p.number, p.expert)
		}
		requests += p.requests
		answers += p.answers
	}
	if requests != 3 || answers != 3 {
		t.Errorf("the dissector finds %d requests and %d answers, there are 3 of each", requests, answers)
	}
	matched := strings.Fields(run(t, "", tshark, "-r", file, "-Y", "kafka.request_frame", "-T", "fields", "-e", "kafka.response_key"))
	if strings.Join(matched, " ") != "18 2 1" {
		t.Errorf("answers matched with their requests: %v, not those of ApiVersions, ListOffsets and Fetch", matched)
	}
	offsets := strings.Fields(run(t, "", tshark, "-r", file, "-Y", "kafka.topic_name == \"orders\"", "-T", "fields", "-e", "kafka.topic_name"))
	if len(offsets) != 4 {
		t.Errorf("the dissector finds the topic in %d bodies, it stands in 4", len(offsets))
	}
}
