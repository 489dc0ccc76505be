package wire

import (
	"encoding/binary"
	"fmt"

	"github.com/klamm-log/klamm/core/wire/schema"
)

// The API keys that the codec treats in a way of their own.
const (
	KeyProduce       int16 = 0
	KeyFetch         int16 = 1
	KeyApiVersions   int16 = 18 // its response header is always version 0 (KIP-511)
	KeyFetchSnapshot int16 = 59
)

// Error is a way in which bytes fail to be a message. The values are constants; compare with errors.Is.
type Error string

// Error makes the value an error.
func (e Error) Error() string { return string(e) }

// The errors.
const (
	// ErrTruncated is a message that ends before its last field.
	ErrTruncated Error = "wire: message ends early"
	// ErrLength is a length or a null that the field cannot have.
	ErrLength Error = "wire: impossible length"
	// ErrUnsupported is a key or version that kmsg does not have.
	ErrUnsupported Error = "wire: unknown key or version"
)

// RequestHeader is what stands before every request body.
type RequestHeader struct {
	Key, Version int16
	Corr         int32
	ClientID     string // empty where the client sent null
}

// PeekRequest reads the part of a request header that is the same in all its versions: key, version and
// correlation id. It is all that can be read of a request of unknown key or version.
func PeekRequest(frame []byte) (RequestHeader, error) {
	if len(frame) < 8 {
		return RequestHeader{}, fmt.Errorf("%w: request header of %d bytes", ErrTruncated, len(frame))
	}
	return RequestHeader{
		Key:     int16(binary.BigEndian.Uint16(frame)),
		Version: int16(binary.BigEndian.Uint16(frame[2:])),
		Corr:    int32(binary.BigEndian.Uint32(frame[4:])),
	}, nil
}

// ParseRequestHeader reads the header of a frame (which comes without its length field) and returns the body.
// Header version 2 follows the flexible versions of the body, header version 1 the others. The client id is a plain string in all of them, because the
// first request of a client must be readable by brokers of any age (KIP-482).
func ParseRequestHeader(frame []byte) (RequestHeader, []byte, error) {
	h, err := PeekRequest(frame)
	if err != nil {
		return h, nil, err
	}
	rest := frame[8:]
	if len(rest) < 2 {
		return h, nil, fmt.Errorf("%w: client id", ErrTruncated)
	}
	n := int(int16(binary.BigEndian.Uint16(rest)))
	rest = rest[2:]
	switch {
	case n < -1:
		return h, nil, fmt.Errorf("%w: client id of %d bytes", ErrLength, n)
	case n > len(rest):
		return h, nil, fmt.Errorf("%w: client id", ErrTruncated)
	case n > 0:
		h.ClientID, rest = string(rest[:n]), rest[n:]
	}
	if RequestIsFlexible(h.Key, h.Version) {
		if rest, err = skipTags(rest); err != nil {
			return h, nil, fmt.Errorf("header: %w", err)
		}
	}
	return h, rest, nil
}

// AppendRequest appends a whole frame, with its length field, for a request at the version it is set to. An empty
// client id is sent as null. Tagged fields that the version does not have are reset in r, and not sent.
func AppendRequest(dst []byte, corr int32, clientID string, r Request) []byte {
	start := len(dst)
	dropLaterTags(r, r.GetVersion())
	key, version := r.Key(), r.GetVersion()
	dst = append(dst, 0, 0, 0, 0)
	dst = appendInt16(dst, key)
	dst = appendInt16(dst, version)
	dst = appendInt32(dst, corr)
	if clientID == "" {
		dst = appendInt16(dst, -1)
	} else {
		dst = appendString(dst, clientID, false)
	}
	if r.IsFlexible() {
		dst = append(dst, 0) // no tags
	}
	dst = r.AppendTo(dst)
	return setLength(dst, start, 0)
}

// AppendResponse appends a whole frame, with its length field, for a response at the version of its request. Tagged
// fields that the version does not have are reset in r, and not sent.
func AppendResponse(dst []byte, corr int32, version int16, r Response) []byte {
	start := len(dst)
	r.SetVersion(version)
	dropLaterTags(r, version)
	dst = appendResponseHeader(dst, corr, responseHeaderIsFlexible(r.Key(), r.IsFlexible()))
	dst = r.AppendTo(dst)
	return setLength(dst, start, 0)
}

// ParseResponseHeader reads the header of the response to a request of the given key and version and returns the
// body.
func ParseResponseHeader(frame []byte, key, version int16) (corr int32, body []byte, err error) {
	if len(frame) < 4 {
		return 0, nil, fmt.Errorf("%w: response header of %d bytes", ErrTruncated, len(frame))
	}
	corr, body = int32(binary.BigEndian.Uint32(frame)), frame[4:]
	if responseHeaderIsFlexible(key, RequestIsFlexible(key, version)) {
		if body, err = skipTags(body); err != nil {
			return corr, nil, fmt.Errorf("header: %w", err)
		}
	}
	return corr, body, nil
}

// responseHeaderIsFlexible tells response header version 1 from 0. KIP-511: ApiVersions always has version 0,
// because its sender does not know yet what the other side can read.
func responseHeaderIsFlexible(key int16, bodyIsFlexible bool) bool {
	return bodyIsFlexible && key != KeyApiVersions
}

func appendResponseHeader(dst []byte, corr int32, flexible bool) []byte {
	dst = append(dst, 0, 0, 0, 0)
	dst = appendInt32(dst, corr)
	if flexible {
		dst = append(dst, 0) // no tags
	}
	return dst
}

// setLength fills in the length field at start for the bytes after it and the extra bytes that the edge will put
// between them.
func setLength(dst []byte, start int, extra int64) []byte {
	binary.BigEndian.PutUint32(dst[start:], uint32(int64(len(dst)-start-4)+extra))
	return dst
}

// skipTags steps over a section of tagged fields (KIP-482). Each takes two bytes at least, so a count beyond what
// is left is refused before it is counted down.
func skipTags(src []byte) ([]byte, error) {
	count, n := schema.Uvarint(src)
	if src = src[n:]; n == 0 || int64(count)*2 > int64(len(src)) {
		return nil, fmt.Errorf("%w: tagged fields", ErrTruncated)
	}
	for range count {
		_, tagLen := schema.Uvarint(src)
		size, sizeLen := schema.Uvarint(src[tagLen:])
		src = src[tagLen+sizeLen:]
		if tagLen == 0 || sizeLen == 0 || int64(size) > int64(len(src)) {
			return nil, fmt.Errorf("%w: tagged field", ErrTruncated)
		}
		src = src[size:]
	}
	return src, nil
}
