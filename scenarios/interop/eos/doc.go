// Package eos runs the transactional producers of other makes of clients against a real cluster, and a
// consume-transform-produce job that must count each record exactly once while its brokers and the job itself are killed.
// What was written is counted by readers that share no code with who wrote it.
//
// It has no code outside its tests. EOS_FULL=1 lets a million records through the job.
package eos
