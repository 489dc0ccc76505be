//go:build !js

package main

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/core/client/consumer"
)

// piece is a part of a record's format: a verb or, if that is 0, text.
type piece struct {
	verb byte
	text string
}

// parseFormat reads a record's format.
func parseFormat(s string) ([]piece, error) {
	var out []piece
	var text []byte
	flush := func() {
		if len(text) > 0 {
			out = append(out, piece{text: string(text)})
			text = nil
		}
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '%' && c != '\\' {
			text = append(text, c)
			continue
		}
		if i++; i == len(s) {
			return nil, exit.Errorf(exit.Usage, "--format %q ends with %q", s, c)
		}
		next := s[i]
		switch {
		case c == '\\' && next == 'n':
			text = append(text, '\n')
		case c == '\\' && next == 't':
			text = append(text, '\t')
		case next == c:
			text = append(text, c)
		case c == '%' && isVerb(next):
			flush()
			out = append(out, piece{verb: next})
		default:
			return nil, exit.Errorf(exit.Usage, "--format %q: there is no %c%c", s, c, next)
		}
	}
	flush()
	return out, nil
}

func isVerb(c byte) bool {
	switch c {
	case 'k', 'v', 'o', 'p', 't', 'T', 'h':
		return true
	}
	return false
}

// appendRecord appends a record in a format. Null keys and values are nothing.
func appendRecord(dst []byte, format []piece, r *consumer.Record) []byte {
	for _, p := range format {
		switch p.verb {
		case 0:
			dst = append(dst, p.text...)
		case 'k':
			dst = append(dst, r.Key...)
		case 'v':
			dst = append(dst, r.Value...)
		case 'o':
			dst = strconv.AppendInt(dst, int64(r.Offset), 10)
		case 'p':
			dst = strconv.AppendInt(dst, int64(r.Partition), 10)
		case 't':
			dst = append(dst, r.Topic...)
		case 'T':
			dst = strconv.AppendInt(dst, int64(r.Timestamp), 10)
		case 'h':
			for i, h := range r.Headers {
				if i > 0 {
					dst = append(dst, ',')
				}
				dst = append(append(append(dst, h.Key...), '='), h.Value...)
			}
		}
	}
	return dst
}

// consumedRow is a record in JSON.
type consumedRow struct {
	Topic     string           `json:"topic"`
	Partition int32            `json:"partition"`
	Offset    int64            `json:"offset"`
	Timestamp int64            `json:"timestamp"`
	Key       *blob            `json:"key"`
	Value     *blob            `json:"value"`
	Headers   []consumedHeader `json:"headers,omitempty"`
}

type consumedHeader struct {
	Key   blob  `json:"key"`
	Value *blob `json:"value"`
}

// blob is bytes that are mostly text: a string if they are valid UTF-8, else {"base64": "..."}.
type blob []byte

// MarshalJSON implements json.Marshaler.
func (b blob) MarshalJSON() ([]byte, error) {
	if utf8.Valid(b) {
		return json.Marshal(string(b))
	}
	return json.Marshal(map[string]string{"base64": base64.StdEncoding.EncodeToString(b)})
}

func blobOf(b []byte) *blob {
	if b == nil {
		return nil
	}
	return (*blob)(&b)
}

func newConsumedRow(r *consumer.Record) consumedRow {
	row := consumedRow{
		Topic: r.Topic, Partition: r.Partition, Offset: int64(r.Offset), Timestamp: int64(r.Timestamp),
		Key: blobOf(r.Key), Value: blobOf(r.Value),
	}
	for _, h := range r.Headers {
		row.Headers = append(row.Headers, consumedHeader{Key: blob(h.Key), Value: blobOf(h.Value)})
	}
	return row
}

// AppendText implements [show.Result].
func (r consumedRow) AppendText(dst []byte) []byte {
	if r.Value != nil {
		dst = append(dst, *r.Value...)
	}
	return append(dst, '\n')
}
