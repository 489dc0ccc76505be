// Package compaction cleans one log twice: by Apache Kafka's log cleaner and by klamm's. The same batches go to both, the
// same records must be left; and Kafka's dump tool must read what klamm's cleaner wrote, indexes included.
//
// It has no code outside its tests.
package compaction
