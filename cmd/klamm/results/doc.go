// Package results is what runs of the simulator showed, as a value that can be written, read and joined.
//
// A [Set] is a map from seeds to runs, of one program over one profile. Everything that a sweep reports (sums, the
// digest, signatures, what is missing) is computed from that map. So joining the results of shards is a union of maps:
// idempotent, commutative and associative. Shards may overlap, come in any order, be interrupted and repeated; what is
// joined does not depend on it, and the digest is that of one process that ran all the seeds.
//
// Two different runs of one seed by one program are nondeterminism. Both are kept, and the set is worth nothing else.
//
// The file format is JSON, schema klamm.sim.result/v1; a joined set is written in the same format and can be joined
// again.
package results
