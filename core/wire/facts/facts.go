package facts

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/wire"
)

// Part is one partition that a message is about.
type Part struct {
	Topic     string // its name, or empty where the message has the id
	TopicID   core.TopicID
	Partition int32
	// From and To are the offsets [From, To) that the message carries or asks for; To is [core.NoOffset] if it has no
	// end, both are if it is about no offset.
	From, To core.Offset
	Error    core.ErrorCode
}

// Message is what one frame says.
type Message struct {
	wire.RequestHeader        // of a response: of the request that it answers, without the client id
	IsResponse         bool   //
	Text               string // its facts, without the API's name; partitions known by id alone are written "{id}-0"
	Parts              []Part
	Error              core.ErrorCode // the first one in it
	// Idle says that nothing was brought or changed: a fetch that is answered without records, a heartbeat. Such
	// messages repeat by the thousand, and a story counts them.
	Idle bool
}

// Name is Kafka's name of the message's API.
func (m *Message) Name() string {
	if name := wire.Name(m.Key); name != "" {
		return name
	}
	return fmt.Sprintf("API %d", m.Key)
}

// Request reads the frame of a request, which comes without its length field. An error comes with what the header
// says, if it could be read.
func Request(frame []byte) (Message, error) {
	h, body, err := wire.ParseRequestHeader(frame)
	m := Message{RequestHeader: h}
	if err != nil {
		return m, err
	}
	req, err := wire.DecodeRequest(h.Key, h.Version, body)
	if err != nil {
		return m, err
	}
	w := writer{m: &m}
	if !w.dataRequest(req) && !w.controlRequest(req) && !w.quorumRequest(req) {
		w.scalars(req)
	}
	m.Text = w.text()
	return m, nil
}

// Response reads the frame of the response to a request of this key and version.
func Response(key, version int16, frame []byte) (Message, error) {
	corr, body, err := wire.ParseResponseHeader(frame, key, version)
	m := Message{RequestHeader: wire.RequestHeader{Key: key, Version: version, Corr: corr}, IsResponse: true}
	if err != nil {
		return m, err
	}
	resp, err := wire.DecodeResponse(key, version, body)
	if err != nil {
		return m, err
	}
	w := writer{m: &m}
	if !w.dataResponse(resp) && !w.controlResponse(resp) && !w.quorumResponse(resp) {
		w.scalars(resp)
	}
	m.Text = w.text()
	return m, nil
}

// mostItems is how many things of a list are written out.
const mostItems = 4

// writer gathers a message's words.
type writer struct {
	m     *Message
	items []string
	more  int // items that were not kept
}

// say adds an item.
func (w *writer) say(format string, args ...any) {
	if len(w.items) == mostItems {
		w.more++
		return
	}
	w.items = append(w.items, fmt.Sprintf(format, args...))
}

func (w *writer) text() string {
	text := strings.Join(w.items, "; ")
	if w.more > 0 {
		text += fmt.Sprintf("; and %d more", w.more)
	}
	return text
}

// part adds a partition and returns how it is written.
func (w *writer) part(topic string, id core.TopicID, partition int32, from, to core.Offset, err int16) string {
	w.m.Parts = append(w.m.Parts, Part{Topic: topic, TopicID: id, Partition: partition, From: from, To: to, Error: core.ErrorCode(err)})
	w.err(err)
	return PartName(topic, id, partition)
}

// PartName is how [Message.Text] writes a partition: topic-0, or {id}-0 where only the id is known, with the metadata
// log's under its name.
func PartName(topic string, id core.TopicID, partition int32) string {
	switch {
	case topic != "":
	case id == core.MetadataTopicID:
		topic = "__cluster_metadata"
	default:
		topic = "{" + id.String() + "}"
	}
	return fmt.Sprintf("%s-%d", topic, partition)
}

// err notes an error code and returns " NAME", or nothing for none.
func (w *writer) err(code int16) {
	if w.m.Error == core.ErrNone {
		w.m.Error = core.ErrorCode(code)
	}
}

// failed is how an error code stands behind what failed.
func failed(code int16) string {
	if code == 0 {
		return ""
	}
	return " " + core.ErrorCode(code).String()
}

// scalars writes the scalar fields of a message that are not zero.
func (w *writer) scalars(message any) {
	v := reflect.ValueOf(message).Elem()
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		switch {
		case name == "Version" || name == "ThrottleMillis" || f.IsZero():
			continue
		case name == "ErrorCode":
			w.err(int16(f.Int()))
			w.say("%v", core.ErrorCode(f.Int()))
			continue
		}
		switch f.Kind() {
		case reflect.String, reflect.Bool, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
			w.say("%s=%v", name, f.Interface())
		case reflect.Pointer:
			if f.Elem().Kind() == reflect.String {
				w.say("%s=%s", name, f.Elem().String())
			}
		case reflect.Slice:
			w.say("%d %s", f.Len(), name)
		default:
		}
	}
}

// str is a nullable string's text.
func str(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
