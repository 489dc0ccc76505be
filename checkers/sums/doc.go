// Package sums judges two workloads by adding up: a bank, and a word count. It knows nothing of transactions but their numbers: what
// package txn says of offsets and outcomes, one by one, a bank says by its balance.
//
// # The bank
//
// A transaction is a transfer between two accounts: one record takes an amount away, another one, in whichever partition, gives it
// ([history.Transfer]). A reader of committed records has, at each moment, a view: the offsets that it has read past, in each partition.
//
//   - BANK-TOTAL: in each view the accounts hold what they held at first. What is still on its way is not counted: a transfer of which the
//     view has not reached both records. But once it has, both count, or neither; a record that is there twice counts twice; and one
//     that certainly failed to be written counts as reached.
//
// A view only grows, so that a wrong total stays wrong: each reader is judged once, by all that it has read.
//
// # The word count
//
// Each input record is a word ([history.Value.Word]). A pipeline writes, in the transaction that commits how far its group has come, one
// record per word with the number of times that it has stood in what was consumed ([history.Tally]).
//
//   - WORDS-EXACT: when final reads have shown all of input and output, the committed counts of each word add up to the number of times
//     that it stands in the input, up to where the group has come.
//
// What compaction, retention or DeleteRecords may have taken away is not counted against anybody: partitions whose log start has risen, and
// records that were not promised for good, are left out by the bank, and make the word count say nothing.
package sums
