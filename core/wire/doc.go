// Package wire is the face of Kafka's codec: request and response structs, their keys and versions, headers,
// and the few encodings that franz-go's kmsg cannot do for a broker.
//
// Underneath stands github.com/twmb/franz-go/pkg/kmsg, generated from Kafka's own schemas. This package adds what
// a server needs around it: headers, the check of all lengths before anything is decoded (core/wire/schema), the
// defaults that kmsg leaves out, the versions of tagged fields that it does not heed, and Fetch and FetchSnapshot
// responses whose record bytes are named, not held.
//
// It has no state. core/conn calls it for every frame, core/client and core/broker use its types. Wire structs stop
// there; protocol packages use types of their own.
//
// Invariants: decoding takes at most [MemoryLimit] or [ResponseMemoryLimit] beyond the frame; a refused frame takes next to nothing; record
// bytes are never copied.
//
// KIPs: 35 and 511 (ApiVersions), 482 (flexible versions, tagged fields), 227, 392, 516, 853, 903, 951, 1166 (layout of Fetch), 630 and 853 (of FetchSnapshot).
package wire

import "github.com/twmb/franz-go/pkg/kmsg"

// Request is a decoded Kafka request body; it knows its own key and version.
type Request = kmsg.Request

// Response is a Kafka response body that can be encoded at the version of its request.
type Response = kmsg.Response
