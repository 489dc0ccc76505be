// Package config knows Kafka's configuration names: for each its type, default, documentation, bounds and synonyms,
// and how the layers stack (topic override, dynamic broker, dynamic cluster default, static file, default).
//
// Definitions are data. The broker asks for resolved, typed values ([Topic], [Broker]); the admin APIs ask for
// definitions, validation and the layer a value comes from ([DescribeTopic], [DescribeBroker]); both read the same
// tables, [TopicDefs] and [BrokerDefs], whose comments list what differs from Kafka. The package has no state.
//
// # Invariants
//
//   - A key that is listed is honoured, or refuses the values that would need what is missing, or its documentation
//     says that it has no effect.
//   - What DescribeConfigs shows is what [ResolveTopic] resolves.
//   - Values are checked when they are set; resolving never fails.
//
// KIPs: 226 (dynamic brokers), 412 not (loggers), 569 (types and documentation), 1030 (least segment size).
package config
