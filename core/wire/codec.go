package wire

import (
	"fmt"

	"github.com/klamm-log/klamm/core/wire/schema"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A decoded request takes at most maxAmplification times its bytes, beyond those, plus amplificationSlack. The slack
// lets honest requests of many tiny elements pass, such as Metadata for some ten thousand short names; it is small
// against what a connection takes anyway.
//
// Responses may take more. They come from whom we chose to ask, one at a time, and honest ones amplify more: a Fetch
// response of idle partitions, as a follower's first fetch of ten thousand of them gets, takes seven times its bytes.
const (
	maxAmplification         = 3
	maxResponseAmplification = 9
	amplificationSlack       = 512 << 10
)

// MemoryLimit is the most that decoding a request of n bytes may take beyond the message itself, in bytes.
func MemoryLimit(n int) int64 { return maxAmplification*int64(n) + amplificationSlack }

// ResponseMemoryLimit is the most that decoding a response of n bytes may take beyond the message itself, in bytes.
func ResponseMemoryLimit(n int) int64 { return maxResponseAmplification*int64(n) + amplificationSlack }

// RequestIsFlexible reports whether requests and responses of this key and version have tagged fields (KIP-482).
func RequestIsFlexible(key, version int16) bool { return schema.Flexible(key, version) }

// Name is Kafka's name of an API key, or "" for an unknown one.
func Name(key int16) string { return schema.Name(key) }

// DecodeRequest reads a request body. Nothing is decoded, and next to no memory taken, before every length in it has
// been checked; the error is [ErrUnsupported] or one of core/wire/schema that names the field.
//
// Byte fields point into body. So do the strings of Produce, which the broker looks up and forgets; whoever keeps
// one clones it. The strings of all other requests are copies.
func DecodeRequest(key, version int16, body []byte) (Request, error) {
	r := newRequest(key)
	if r == nil || version < 0 || version > r.MaxVersion() {
		return nil, fmt.Errorf("%w: key %d version %d", ErrUnsupported, key, version)
	}
	if _, err := schema.CheckRequest(key, version, body, schema.Cost(MemoryLimit(len(body)))); err != nil {
		return nil, err
	}
	r.SetVersion(version)
	if err := read(r, body, key == KeyProduce); err != nil {
		return nil, fmt.Errorf("%w: %s version %d", err, Name(key), version)
	}
	setKafkaDefaults(r, version)
	return r, nil
}

// DecodeResponse reads the body of the response to a request of this key and version, after the same checks as
// [DecodeRequest], within [ResponseMemoryLimit]. Byte fields point into body, strings are copies.
func DecodeResponse(key, version int16, body []byte) (Response, error) {
	r := kmsg.ResponseForKey(key)
	if r == nil || version < 0 || version > r.MaxVersion() {
		return nil, fmt.Errorf("%w: key %d version %d", ErrUnsupported, key, version)
	}
	if _, err := schema.CheckResponse(key, version, body, schema.Cost(ResponseMemoryLimit(len(body)))); err != nil {
		return nil, err
	}
	r.SetVersion(version)
	if err := r.ReadFrom(body); err != nil {
		return nil, fmt.Errorf("%w: response to %s version %d", err, Name(key), version)
	}
	return r, nil
}

// newRequest is an empty request, or nil for an unknown key. The hot ones skip kmsg's long switch.
func newRequest(key int16) Request {
	switch key {
	case KeyProduce:
		return kmsg.NewPtrProduceRequest()
	case KeyFetch:
		return kmsg.NewPtrFetchRequest()
	}
	return kmsg.RequestForKey(key)
}

// read decodes with or without copies of the strings.
func read(r Request, body []byte, alias bool) error {
	if aliasing, ok := r.(kmsg.UnsafeReadFrom); ok && alias {
		return aliasing.UnsafeReadFrom(body)
	}
	return r.ReadFrom(body)
}

// setKafkaDefaults gives fields that a version does not have the value that Kafka's schema gives them, where kmsg
// has another.
func setKafkaDefaults(r Request, version int16) {
	switch r := r.(type) {
	case *kmsg.MetadataRequest:
		if version < 4 { // KIP-204: before it could be said, asking for a topic meant creating it
			r.AllowAutoTopicCreation = true
		}
	case *kmsg.UpdateFeaturesRequest:
		if version < 1 { // KIP-584: before AllowDowngrade became UpgradeType, 1 is "upgrade only"
			for i := range r.FeatureUpdates {
				r.FeatureUpdates[i].UpgradeType = 1
			}
		}
	}
}
