package perf

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"slices"
	"strconv"
	"sync"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// discard is a broker that stores nothing. It reads each produce request whole, counts the records by the headers of
// their batches, and acknowledges them at offsets that grow: what a producer gets from it is the most that any broker can
// give it. Requests of one connection are answered in their order, one at a time; those behind wait in the socket.
type discard struct {
	addr *net.TCPAddr

	mu        sync.Mutex
	topics    map[string]*discarded
	producers int64 // ids given
}

// discarded is a topic of which only the ends are known.
type discarded struct {
	id   [16]byte
	ends []int64 // by partition
}

// playDiscard serves on a port that the system chooses, which it prints.
func playDiscard(out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, listener.Addr()); err != nil {
		return err
	}
	d := &discard{addr: listener.Addr().(*net.TCPAddr), topics: make(map[string]*discarded)}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer func() { _ = conn.Close() }() // nothing is left to send
			if err := d.serve(conn); !errors.Is(err, io.EOF) {
				log.Printf("discard server: %v", err)
			}
		}()
	}
}

// serve answers a connection's requests until it ends, with io.EOF, or sends what is not understood.
func (d *discard) serve(conn net.Conn) error {
	in := bufio.NewReader(conn)
	var frame, out []byte
	for {
		var err error
		if frame, err = readFrame(in, frame); err != nil {
			return err
		}
		request, corr, err := parseRequest(frame)
		if err != nil {
			return err
		}
		response, err := d.answer(request)
		if err != nil {
			return err
		}
		if response == nil {
			continue
		}
		out = appendResponse(out[:0], corr, response)
		if _, err := conn.Write(out); err != nil {
			return err
		}
	}
}

// readFrame reads what follows a length into a buffer, or into a larger one if that is too small.
func readFrame(in io.Reader, buffer []byte) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(in, size[:]); err != nil {
		return buffer, err
	}
	n := int(binary.BigEndian.Uint32(size[:]))
	buffer = slices.Grow(buffer[:0], n)[:n]
	_, err := io.ReadFull(in, buffer)
	return buffer, err
}

// parseRequest takes header and body apart. The records of a produce request still lie in the frame.
func parseRequest(frame []byte) (request kmsg.Request, corr int32, err error) {
	b := kbin.Reader{Src: frame}
	key, version := b.Int16(), b.Int16()
	corr = b.Int32()
	b.NullableString() // the client's id
	request = kmsg.RequestForKey(key)
	if oldest, ok := served(kmsg.Key(key)); !ok || version < oldest || version > request.MaxVersion() {
		return nil, 0, fmt.Errorf("request %d version %d is not served", key, version)
	}
	request.SetVersion(version)
	if request.IsFlexible() {
		kmsg.SkipTags(&b)
	}
	if err := b.Complete(); err != nil {
		return nil, 0, err
	}
	return request, corr, request.ReadFrom(b.Src)
}

// appendResponse appends a frame. ApiVersions has the oldest header in every version (KIP-511).
func appendResponse(out []byte, corr int32, response kmsg.Response) []byte {
	begin := len(out)
	out = append(out, 0, 0, 0, 0)
	out = binary.BigEndian.AppendUint32(out, uint32(corr))
	if response.IsFlexible() && response.Key() != kmsg.ApiVersions.Int16() {
		out = append(out, 0) // no tags
	}
	out = response.AppendTo(out)
	binary.BigEndian.PutUint32(out[begin:], uint32(len(out)-begin-4))
	return out
}

// served tells from which version on a request is answered; up to the newest that kmsg knows. Topics have ids in all of
// these versions.
func served(key kmsg.Key) (oldest int16, ok bool) {
	switch key {
	case kmsg.ApiVersions:
		return 0, true
	case kmsg.Metadata:
		return 10, true
	case kmsg.CreateTopics:
		return 7, true
	case kmsg.DeleteTopics:
		return 6, true
	case kmsg.InitProducerID:
		return 2, true
	case kmsg.Produce:
		return 9, true
	default:
		return 0, false
	}
}

// answer is the response to a request, nil where none is expected.
func (d *discard) answer(request kmsg.Request) (kmsg.Response, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch r := request.(type) {
	case *kmsg.ApiVersionsRequest:
		return d.apiVersions(r), nil
	case *kmsg.MetadataRequest:
		return d.metadata(r), nil
	case *kmsg.CreateTopicsRequest:
		return d.createTopics(r), nil
	case *kmsg.DeleteTopicsRequest:
		return d.deleteTopics(r), nil
	case *kmsg.InitProducerIDRequest:
		return d.initProducerID(r), nil
	case *kmsg.ProduceRequest:
		response := d.produce(r)
		if r.Acks == 0 {
			return nil, nil
		}
		return response, nil
	}
	return nil, fmt.Errorf("no answer to %s", kmsg.NameForKey(request.Key()))
}

func (d *discard) apiVersions(r *kmsg.ApiVersionsRequest) kmsg.Response {
	response := r.ResponseKind().(*kmsg.ApiVersionsResponse)
	for key := range kmsg.Key(kmsg.MaxKey + 1) {
		oldest, ok := served(key)
		if !ok {
			continue
		}
		item := kmsg.NewApiVersionsResponseApiKey()
		item.ApiKey, item.MinVersion, item.MaxVersion = key.Int16(), oldest, kmsg.RequestForKey(key.Int16()).MaxVersion()
		response.ApiKeys = append(response.ApiKeys, item)
	}
	return response
}

// metadata describes the one broker, controller as well, and the topics that are asked for.
func (d *discard) metadata(r *kmsg.MetadataRequest) kmsg.Response {
	response := r.ResponseKind().(*kmsg.MetadataResponse)
	broker := kmsg.NewMetadataResponseBroker()
	broker.Host, broker.Port = d.addr.IP.String(), int32(d.addr.Port)
	response.Brokers = append(response.Brokers, broker)
	response.ControllerID = broker.NodeID
	for _, wanted := range r.Topics {
		topic := kmsg.NewMetadataResponseTopic()
		topic.Topic, topic.TopicID = wanted.Topic, wanted.TopicID
		known := d.find(wanted.Topic, wanted.TopicID)
		if known == nil {
			topic.ErrorCode = kerr.UnknownTopicOrPartition.Code
			response.Topics = append(response.Topics, topic)
			continue
		}
		topic.TopicID = known.id
		for p := range known.ends {
			partition := kmsg.NewMetadataResponseTopicPartition()
			partition.Partition, partition.Leader, partition.LeaderEpoch = int32(p), broker.NodeID, 0
			partition.Replicas, partition.ISR = []int32{broker.NodeID}, []int32{broker.NodeID}
			topic.Partitions = append(topic.Partitions, partition)
		}
		response.Topics = append(response.Topics, topic)
	}
	return response
}

// find looks for a topic by its name or, without one, by its id.
func (d *discard) find(name *string, id [16]byte) *discarded {
	if name != nil && *name != "" {
		return d.topics[*name]
	}
	for _, topic := range d.topics {
		if topic.id == id {
			return topic
		}
	}
	return nil
}

// createTopics makes topics with as many partitions as are asked for. Replicas it has none.
func (d *discard) createTopics(r *kmsg.CreateTopicsRequest) kmsg.Response {
	response := r.ResponseKind().(*kmsg.CreateTopicsResponse)
	for _, wanted := range r.Topics {
		hash := sha256.Sum256([]byte(wanted.Topic + "/" + strconv.Itoa(len(d.topics))))
		made := &discarded{id: [16]byte(hash[:16]), ends: make([]int64, wanted.NumPartitions)}
		d.topics[wanted.Topic] = made
		topic := kmsg.NewCreateTopicsResponseTopic()
		topic.Topic, topic.TopicID, topic.NumPartitions = wanted.Topic, made.id, wanted.NumPartitions
		response.Topics = append(response.Topics, topic)
	}
	return response
}

func (d *discard) deleteTopics(r *kmsg.DeleteTopicsRequest) kmsg.Response {
	response := r.ResponseKind().(*kmsg.DeleteTopicsResponse)
	for _, wanted := range r.Topics {
		topic := kmsg.NewDeleteTopicsResponseTopic()
		topic.Topic, topic.TopicID = wanted.Topic, wanted.TopicID
		if wanted.Topic != nil {
			delete(d.topics, *wanted.Topic)
		}
		response.Topics = append(response.Topics, topic)
	}
	return response
}

func (d *discard) initProducerID(r *kmsg.InitProducerIDRequest) kmsg.Response {
	response := r.ResponseKind().(*kmsg.InitProducerIDResponse)
	d.producers++
	response.ProducerID, response.ProducerEpoch = d.producers, 0
	return response
}

// produce gives the records of each partition their offsets.
func (d *discard) produce(r *kmsg.ProduceRequest) kmsg.Response {
	response := r.ResponseKind().(*kmsg.ProduceResponse)
	for i := range r.Topics {
		from := &r.Topics[i]
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic, topic.TopicID = from.Topic, from.TopicID
		known := d.find(&from.Topic, from.TopicID)
		for j := range from.Partitions {
			topic.Partitions = append(topic.Partitions, known.take(&from.Partitions[j]))
		}
		response.Topics = append(response.Topics, topic)
	}
	return response
}

// take acknowledges what was sent to one partition.
func (d *discarded) take(sent *kmsg.ProduceRequestTopicPartition) kmsg.ProduceResponseTopicPartition {
	answer := kmsg.NewProduceResponseTopicPartition()
	answer.Partition = sent.Partition
	if d == nil || int(sent.Partition) >= len(d.ends) {
		answer.ErrorCode = kerr.UnknownTopicOrPartition.Code
		return answer
	}
	answer.BaseOffset, answer.LogStartOffset = d.ends[sent.Partition], 0
	d.ends[sent.Partition] += countRecords(sent.Records)
	return answer
}

// countRecords adds up what the headers of batches say, which lie end to end.
func countRecords(batches []byte) int64 {
	const lengthAt, countAt, header = 8, 57, 61
	n := int64(0)
	for len(batches) >= header {
		n += int64(binary.BigEndian.Uint32(batches[countAt:]))
		size := int64(lengthAt+4) + int64(binary.BigEndian.Uint32(batches[lengthAt:]))
		batches = batches[min(size, int64(len(batches))):]
	}
	return n
}
