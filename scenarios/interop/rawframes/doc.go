// Package rawframes sends klamm node what no client would: broken frames, requests that lie about lengths, batches
// that lie about their contents, decompression bombs. Each must be answered with an error of Kafka's or end its
// connection, in bounded memory; nothing may be written, and a bystander on another connection must not notice.
//
// It has no code outside its tests.
package rawframes
