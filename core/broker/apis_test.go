package broker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/klamm-log/klamm/core/broker"
	"github.com/klamm-log/klamm/core/conn"
	"github.com/klamm-log/klamm/core/step"
	"github.com/klamm-log/klamm/core/wire"
)

const connControl step.ConnID = 9

// Every version of every API that a listener advertises is answered, if with an error: what is advertised and not handled would
// cost the client its connection, and it would come back for more.
func TestEveryAdvertisedAPIIsAnswered(t *testing.T) {
	for _, listener := range []struct {
		conn step.ConnID
		apis []conn.VersionRange
	}{{connInner, broker.APIs()}, {connControl, conn.ControllerAPIs()}} {
		r := newRig(t, "listeners", "INNER://127.0.0.1:1000,CONTROLLER://127.0.0.1:1002", "advertised.listeners", "INNER://inner:2000",
			"process.roles", "broker,controller", "controller.listener.names", "CONTROLLER", "controller.quorum.voters", "1@127.0.0.1:1002",
			"listener.security.protocol.map", "INNER:PLAINTEXT,CONTROLLER:PLAINTEXT")
		r.node.Deliver(&step.ConnState{Conn: connControl, Open: true, Listener: "CONTROLLER"})
		for _, api := range listener.apis {
			for version := api.Min; version <= api.Max; version++ {
				name := kmsg.Key(api.Key).Name()
				body := kmsg.RequestForKey(api.Key)
				body.SetVersion(version)
				switch body := body.(type) {
				case *kmsg.FetchRequest:
					body.MaxWaitMillis = 0 // for bytes
				case *kmsg.ProduceRequest:
					body.Acks = 1 // 0 is not answered
				}
				decoded, err := wire.DecodeRequest(api.Key, version, body.AppendTo(nil))
				require.NoError(t, err, "%s %d", name, version)
				n := len(r.replies)
				r.node.Deliver(&step.Request{Conn: listener.conn, Seq: r.seq, Version: version, Body: decoded})
				r.seq++
				r.run(func() bool { return len(r.replies) > n })
				require.False(t, r.replies[n].Close, "%s %d closes the connection", name, version)
				require.NotNil(t, r.replies[n].Body, "%s %d", name, version)
			}
		}
	}
}
