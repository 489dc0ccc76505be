package wire

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// RequestIsFlexible reports whether requests and responses of this key and version have tagged fields (KIP-482).
func RequestIsFlexible(key, version int16) bool {
	r := kmsg.RequestForKey(key)
	if r == nil {
		return false
	}
	r.SetVersion(version)
	return r.IsFlexible()
}

// DecodeRequest reads a request body.
func DecodeRequest(key, version int16, body []byte) (Request, error) {
	r, err := newRequest(key, version)
	if err != nil {
		return nil, err
	}
	if err := r.ReadFrom(body); err != nil {
		return nil, fmt.Errorf("%w: key %d version %d: %w", ErrTruncated, key, version, err)
	}
	return r, nil
}

// DecodeResponse reads a response body.
func DecodeResponse(key, version int16, body []byte) (Response, error) {
	r := kmsg.ResponseForKey(key)
	if r == nil || version < 0 || version > r.MaxVersion() {
		return nil, fmt.Errorf("%w: key %d version %d", ErrUnsupported, key, version)
	}
	r.SetVersion(version)
	if err := r.ReadFrom(body); err != nil {
		return nil, fmt.Errorf("%w: response of key %d version %d: %w", ErrTruncated, key, version, err)
	}
	return r, nil
}
