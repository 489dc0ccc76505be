// Package fetch keeps incremental fetch sessions (KIP-227): what each fetching client last asked for and was last
// told, so that later requests and answers carry changes only.
//
// State: a bounded cache of sessions by id; each session is an ordered set of partitions with the fetch position and
// the HighWatermark and LogStartOffset of the last answer. The broker calls [Cache.Begin] with a request and gets
// the [Context] to serve; after serving it asks [Context.Include] which partitions belong into the answer.
//
// Invariants: a session's epoch is the one that its next request must carry; it is 1 after creation and skips 0 and
// -1 when it wraps. A session keeps to topic names or to topic ids for its whole life (KIP-516). The cache holds at
// most its configured number of sessions, and a session used within the eviction age is never evicted for a new one
// (min.incremental.fetch.session.eviction.ms) unless the new one is a follower's and the old one is not.
//
// Losing a session is always safe: the client is told FETCH_SESSION_ID_NOT_FOUND and starts a full fetch.
package fetch
