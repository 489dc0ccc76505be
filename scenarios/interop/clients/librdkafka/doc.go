// Package librdkafka drives librdkafka, through confluent-kafka-go. It needs a C compiler; without one it builds, and
// its client says that it is missing. It is apart from the other clients so that only the tests that want it wait for
// its linking.
package librdkafka

// Client is librdkafka.
type Client struct{}

// Name implements [clients.Client].
func (Client) Name() string { return "librdkafka" }
