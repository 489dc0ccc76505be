package schema

// never is the first flexible version of a message that has none.
const never int16 = 1<<15 - 1

// kind says how a field stands on the wire.
type kind uint8

const (
	fixed    kind = iota // size bytes; neighbours of one version range are one entry
	text                 // a string
	blob                 // bytes; the decoded message points into the frame
	list                 // an array whose elements are one field each, without tags of their own
	array                // an array of structures
	group                // a structure
	optional             // a structure or null: one byte tells which
)

// message is the skeleton of a request or response body.
type message struct {
	name     string
	flexible int16 // first version with compact lengths and tagged fields
	size     int64 // of the decoded structure, in bytes
	fields   []field
}

// field is one field, or a run of neighbouring fixed ones.
type field struct {
	name      string
	kind      kind
	since     int16 // first version that has it
	before    int16 // first version that has it no more, 0 if all have
	nullable  bool
	nullSince int16 // first version in which it may be null
	tagged    bool  // it stands in its structure's tagged section, as number tag
	tag       uint32
	// size is what it takes: on the wire for fixed; in memory per element for list and array, for the structure of
	// optional, and for what text needs beyond its characters.
	size   int64
	fields []field // of a structure, or the one of a list's element
}

// in reports whether a version of the message has the field in its untagged part.
func (f *field) in(version int16) bool {
	return !f.tagged && version >= f.since && (f.before == 0 || version < f.before)
}

// request finds a request's skeleton.
func request(key int16) *message {
	switch {
	case key < 0:
	case int(key) < len(requestsTo35):
		return known(&requestsTo35[key])
	case int(key) < len(requestsTo67):
		return known(&requestsTo67[key])
	case int(key) < len(requestsTo94):
		return known(&requestsTo94[key])
	}
	return nil
}

// response finds a response's skeleton.
func response(key int16) *message {
	switch {
	case key < 0:
	case int(key) < len(responsesTo35):
		return known(&responsesTo35[key])
	case int(key) < len(responsesTo67):
		return known(&responsesTo67[key])
	case int(key) < len(responsesTo94):
		return known(&responsesTo94[key])
	}
	return nil
}

// known is m, or nil for a hole in the table.
func known(m *message) *message {
	if m.name == "" {
		return nil
	}
	return m
}

// Flexible reports whether requests and responses of this key and version have compact lengths and tagged fields.
// It is false for unknown keys.
func Flexible(key, version int16) bool {
	m := request(key)
	return m != nil && version >= m.flexible
}

// Name is Kafka's name of an API key, without "Request", or "" for an unknown one.
func Name(key int16) string {
	if m := request(key); m != nil {
		return m.name
	}
	return ""
}
