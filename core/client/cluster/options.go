package cluster

import (
	"fmt"

	"github.com/klamm-log/klamm/core"
)

// Options configures the connection manager. The zero value of every field means its default.
type Options struct {
	ClientID  string   // client.id; default "klamm"
	Bootstrap []string // bootstrap.servers, "host:port" each; needed

	RequestTimeout    core.Mono // request.timeout.ms; default 30 s
	ConnectTimeout    core.Mono // socket.connection.setup.timeout.ms; default 10 s
	MetadataMaxAge    core.Mono // metadata.max.age.ms; default 5 min
	RetryBackoff      core.Mono // retry.backoff.ms; default 100 ms, doubled by each attempt
	RetryBackoffMax   core.Mono // retry.backoff.max.ms; default 1 s
	ReconnectBackoff  core.Mono // reconnect.backoff.ms; default 50 ms, doubled by each failure
	ReconnectMax      core.Mono // reconnect.backoff.max.ms; default 1 s
	ConnectionMaxIdle core.Mono // connections.max.idle.ms; default 9 min; negative: never

	// AllowAutoCreate lets Metadata requests create the topics they name (allow.auto.create.topics). Java's default
	// is true; here it is false, because a client that only looks should not write.
	AllowAutoCreate bool
}

// WithDefaults is o with every zero field replaced by its default.
func (o Options) WithDefaults() Options {
	if o.ClientID == "" {
		o.ClientID = "klamm"
	}
	orDefault(&o.RequestTimeout, 30*core.Second)
	orDefault(&o.ConnectTimeout, 10*core.Second)
	orDefault(&o.MetadataMaxAge, 5*core.Minute)
	orDefault(&o.RetryBackoff, 100*core.Millisecond)
	orDefault(&o.RetryBackoffMax, core.Second)
	orDefault(&o.ReconnectBackoff, 50*core.Millisecond)
	orDefault(&o.ReconnectMax, core.Second)
	orDefault(&o.ConnectionMaxIdle, 9*core.Minute)
	return o
}

// Validate reports the first option that cannot work.
func (o Options) Validate() error {
	if len(o.Bootstrap) == 0 {
		return fmt.Errorf("client: no bootstrap server")
	}
	for _, addr := range o.Bootstrap {
		if addr == "" {
			return fmt.Errorf("client: an empty bootstrap server among %q", o.Bootstrap)
		}
	}
	for _, d := range []core.Mono{o.RequestTimeout, o.ConnectTimeout, o.MetadataMaxAge, o.RetryBackoff, o.RetryBackoffMax,
		o.ReconnectBackoff, o.ReconnectMax} {
		if d < 0 {
			return fmt.Errorf("client: a negative duration among the connection options: %+v", o)
		}
	}
	return nil
}

func orDefault(v *core.Mono, d core.Mono) {
	if *v == 0 {
		*v = d
	}
}
