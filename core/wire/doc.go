// Package wire is the face of Kafka's codec: request and response structs, their keys and versions, headers,
// and the few encodings that franz-go's kmsg cannot do for a broker.
//
// Underneath stands github.com/twmb/franz-go/pkg/kmsg, generated from Kafka's own schemas. This package adds what
// a server needs around it: header parsing, a structural check of all lengths before anything is decoded (kmsg
// alone lets a small frame take up to 80 times its size), the defaults that kmsg leaves out, and a Fetch response
// whose record bytes are named, not held.
//
// Wire structs stop at core/broker, core/client and core/conn; protocol packages use types of their own.
package wire

import "github.com/twmb/franz-go/pkg/kmsg"

// Request is a decoded Kafka request body; it knows its own key and version.
type Request = kmsg.Request

// Response is a Kafka response body that can be encoded at the version of its request.
type Response = kmsg.Response
