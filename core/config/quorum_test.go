package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Three files of one cluster: what differs is said in each test.
const (
	combined = `
process.roles=broker,controller
node.id=2
listeners=PLAINTEXT://b2:9092,CONTROLLER://b2:9093
controller.listener.names=CONTROLLER
controller.quorum.voters=3@b3:9093, 1@b1:9093 ,2@b2:9093
`
	brokerOnly = `
process.roles=broker
node.id=9
listeners=PLAINTEXT://b9:9092
controller.listener.names=CONTROLLER,OTHER
controller.quorum.bootstrap.servers=b1:9093,[::1]:9093,b1:9093
`
	controllerOnly = `
process.roles=controller
node.id=1
listeners=LOCAL://b1:9094,CONTROLLER://:9093
advertised.listeners=CONTROLLER://b1.example:1093
controller.listener.names=CONTROLLER,LOCAL
controller.quorum.voters=1@b1.example:1093,2@b2:9093,3@b3:9093
`
)

func resolve(t *testing.T, text string) (Broker, error) {
	t.Helper()
	props, err := ParseProperties([]byte(text))
	require.NoError(t, err)
	return ResolveBroker(props)
}

func TestResolveCombined(t *testing.T) {
	b, err := resolve(t, combined)
	require.NoError(t, err)
	require.Equal(t, Roles{Broker: true, Controller: true}, b.Roles)
	require.Equal(t, []Voter{{1, "b1", 9093}, {2, "b2", 9093}, {3, "b3", 9093}}, b.Voters, "by id")
	require.False(t, b.Alone())
	require.Equal(t, []Listener{{"PLAINTEXT", "b2:9092", "b2", 9092}}, b.Listeners)
	require.Equal(t, []Listener{{"CONTROLLER", "b2:9093", "b2", 9093}}, b.ControllerListeners)
	require.Equal(t, "PLAINTEXT", b.InterBrokerListener)
}

func TestResolveBrokerOnly(t *testing.T) {
	b, err := resolve(t, brokerOnly)
	require.NoError(t, err)
	require.Equal(t, Roles{Broker: true}, b.Roles)
	require.Empty(t, b.Voters)
	require.False(t, b.Alone())
	require.Equal(t, []string{"b1:9093", "[::1]:9093"}, b.BootstrapServers)
	require.Empty(t, b.ControllerListeners)
	require.Equal(t, []string{"CONTROLLER", "OTHER"}, b.ControllerListenerNames)
	props, _ := ParseProperties([]byte(brokerOnly))
	require.Contains(t, Warnings(props), "controller.listener.names: only CONTROLLER is used, because this node is only a broker")
}

func TestResolveControllerOnly(t *testing.T) {
	b, err := resolve(t, controllerOnly)
	require.NoError(t, err)
	require.Equal(t, Roles{Controller: true}, b.Roles)
	require.Empty(t, b.Listeners)
	require.Empty(t, b.InterBrokerListener)
	require.Equal(t, []Listener{{"CONTROLLER", ":9093", "b1.example", 1093}, {"LOCAL", "b1:9094", "b1", 9094}}, b.ControllerListeners,
		"in the order of controller.listener.names")
}

// TestStandalone lists when a controller is a quorum by itself, and when it is not.
func TestStandalone(t *testing.T) {
	const self = "listeners=PLAINTEXT://h:1,C://h:2\ncontroller.listener.names=C\n"
	for _, c := range []struct {
		props string
		alone bool
	}{
		{"", true},
		{"controller.listener.names=C", true}, // and no listener of that name: --listen
		{self, true},
		{self + "controller.quorum.bootstrap.servers=h:2", true},
		{self + "controller.quorum.voters=1@h:2", true},
		{self + "controller.quorum.voters=1@h:0", true},
		{"controller.quorum.voters=1@h:2", true},
		{self + "controller.quorum.bootstrap.servers=other:2", false},
		{self + "controller.quorum.bootstrap.servers=h:2,other:2", false},
		{self + "controller.quorum.voters=1@h:2,2@other:2", false},
	} {
		b, err := resolve(t, c.props)
		require.NoError(t, err, c.props)
		require.Equal(t, c.alone, b.Alone(), c.props)
		if c.alone {
			require.Empty(t, b.BootstrapServers, c.props)
		}
	}
}

func TestResolveQuorumRefuses(t *testing.T) {
	const alone = "listeners=PLAINTEXT://h:1,C://h:2\ncontroller.listener.names=C\n"
	for _, c := range []struct{ props, wants string }{
		{"controller.quorum.voters=a:1", `controller.quorum.voters: "a:1" is not id@host:port`},
		{"controller.quorum.voters=x@a:1", `"x@a:1" is not id@host:port`},
		{"controller.quorum.voters=-1@a:1", `"-1@a:1" is not id@host:port`},
		{"controller.quorum.voters=1@a", "there is no port"},
		{"controller.quorum.voters=1@a:65536", "the port is not from 0 to 65535"},
		{"controller.quorum.voters=1@:9", "there is no host"},
		{"controller.quorum.voters=1@0.0.0.0:9", "nobody can connect to 0.0.0.0"},
		{"controller.quorum.voters=1@a:1,1@b:1", "node 1 comes twice"},
		{"controller.quorum.voters=1@a:1,2@a:1", "nodes 1 and 2 are both at a:1"},
		{"controller.quorum.voters=1@a:1,2@b:0", `"2@b:0" has port 0`},
		{alone + "controller.quorum.voters=2@a:1", "contains the controller role, so the voters must include node 1; they are 2"},
		{alone + "controller.quorum.voters=3@a:1,2@b:1", "must include node 1; they are 2, 3"},
		{brokerOnly + "controller.quorum.voters=9@a:1,2@b:1", "contains only the broker role, so the voters must not include node 9; they are 2, 9"},
		{brokerOnly + "controller.quorum.voters=9@a:1", "must not include node 9"},
		{brokerOnly + "controller.quorum.bootstrap.servers=", "neither it nor controller.quorum.bootstrap.servers says where"},
		{"controller.quorum.bootstrap.servers=a", `"a" is not host:port: there is no port`},
		{"controller.quorum.bootstrap.servers=a:0", "has port 0"},
		{"controller.quorum.voters=1@a:1,2@b:1", "must name one of the listeners, because node 1 is a controller and not the only node"},
		{"controller.quorum.bootstrap.servers=b:1", "must name one of the listeners"},
		{brokerOnly + "controller.listener.names=", "controller.listener.names: must contain a name"},
		{brokerOnly + "controller.listener.names=plaintext\nlisteners=X://b:1,PLAINTEXT://b:2\nlistener.security.protocol.map=X:PLAINTEXT,PLAINTEXT:PLAINTEXT",
			"PLAINTEXT appears in listeners, but process.roles contains only the broker role"},
		{brokerOnly + "controller.listener.names=SSL", "SSL wants SSL, but only PLAINTEXT is served"},
		{brokerOnly + "listener.security.protocol.map=PLAINTEXT:PLAINTEXT", "no security protocol for CONTROLLER"},
		{controllerOnly + "controller.listener.names=CONTROLLER\nlistener.security.protocol.map=LOCAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
			"LOCAL is none of controller.listener.names, but process.roles contains only the controller role"},
		{"process.roles=controller", "PLAINTEXT is none of controller.listener.names"},
		{alone + "controller.listener.names=C,c", "the name C comes twice"},
		{alone + "inter.broker.listener.name=C", "C is none of the brokers' listeners"},
		{alone + "inter.broker.listener.name=PLAINTEXT\nsecurity.inter.broker.protocol=PLAINTEXT", "set either it or"},
		{combined + "listeners=A://b2:9092,CONTROLLER://b2:9093\nlistener.security.protocol.map=A:PLAINTEXT,CONTROLLER:PLAINTEXT",
			"inter.broker.listener.name: must name one of the listeners"},
		{alone + "advertised.listeners=C://0.0.0.0:1", "clients cannot connect to 0.0.0.0"},
		{"replica.fetch.wait.max.ms=500\nreplica.socket.timeout.ms=499", "more than replica.socket.timeout.ms"},
		{"replica.lag.time.max.ms=499", "more than replica.lag.time.max.ms"},
		{"broker.session.timeout.ms=2000", "not less than broker.session.timeout.ms"},
		{"replica.selector.class=org.example.Mine", "is none of org.apache.kafka.common.replica.RackAware"},
		{"leader.imbalance.check.interval.seconds=0", "less than 1"},
	} {
		_, err := resolve(t, c.props)
		require.ErrorContains(t, err, c.wants, c.props)
	}
}

// TestControllerNamesNeedNoProtocol: Kafka adds them to the default map, but not where it would hide that somebody forgot
// to encrypt.
func TestControllerNamesNeedNoProtocol(t *testing.T) {
	_, err := resolve(t, "listeners=PLAINTEXT://h:1,QUORUM://h:2\ncontroller.listener.names=QUORUM")
	require.NoError(t, err)
	_, err = resolve(t, "listeners=SASL_PLAINTEXT://h:1,QUORUM://h:2\ncontroller.listener.names=QUORUM")
	require.ErrorContains(t, err, "no security protocol for QUORUM")
}
