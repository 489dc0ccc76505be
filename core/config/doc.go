// Package config knows Kafka's configuration names: for each its type, default, documentation, bounds and synonyms,
// and how the layers stack (topic override, dynamic broker, dynamic cluster default, static file, default).
//
// Definitions are data. The broker asks for resolved, typed values ([Topic], [Broker]); the admin APIs ask for
// definitions, validation and the layer a value comes from.
package config
