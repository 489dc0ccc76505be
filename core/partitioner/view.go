package partitioner

// View is what a partitioner may know of a topic. The slices belong to the caller and are read during the call only.
type View struct {
	Partitions int32   // partitions of the topic; at least 1
	Available  []int32 // those that have a leader, ascending; may be empty
	Queued     []int32 // batches waiting per entry of Available; nil if not measured
}
