// Package capsules keeps runs that once violated a promise: of bugs that are fixed, and of deliberate ones (package mutants,
// whose ids their names begin with). Each was shrunk, so it is short to read and quick to run.
//
// The code is right now, so every one of them must hold. A capsule repeats decisions, not deliveries: its chain of hashes need
// not be that of the recording any more, and the test says where the two part. To add one, shrink it and copy it here:
//
//	klamm mutants --keep DIR ID
//	DIR/ID/klamm shrink DIR/ID/PROFILE-SEED.json --out scenarios/capsules/ID.json
package capsules
