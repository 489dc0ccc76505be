// Package simdisk is a node's disk in the simulator: files and directories in memory, a page cache that a power loss
// takes away, and faults.
//
// # State
//
// Every file has its contents as the process sees them (the page cache) and as they are on the medium; every
// directory has its entries twice in the same way. Sync and SyncDir bring the medium up to date; nothing else does.
// Over both lies an overlay of wrong bytes (bit rot, misdirected writes). The bytes below stay pristine, so that
// [Disk.Heal] can lift every fault before the liveness phase.
//
// # Time
//
// Operations wait in one queue per file (or per path, for those that name no file) and take effect when their service
// time, drawn at Submit, is over; queues run in parallel. The world asks for [Disk.NextDeadline] and calls
// [Disk.Poll]. Ties are broken by submission order. Nothing here reads a clock.
//
// # Fault model
//
//   - Process crash: queued operations vanish, except that the one being performed may still take effect, an append
//     also in part. The page cache stays.
//   - Power loss: each write since the last sync of its file meets one [Outcome] of its own: old, new, prefix, a
//     subset of its 512-byte sectors, garbage, or a tail of zeros. Each truncation since then happened or did not.
//     Each creation, rename and removal since the last SyncDir of its directory happened or did not; a rename is never
//     half done and no file has two names. What was synced survives. Bytes of a sector that a later unsynced write
//     shares survive as well: sectors are written atomically.
//   - A failed sync (fsyncgate): the dirty pages count as clean afterwards. The process still reads them, no later
//     sync writes them, and a power loss shows which of them had reached the medium.
//   - A failed append leaves nothing or a prefix.
//   - Full, slow and stuck disks, for a window of time or until healed.
//   - Bit rot flips one durable bit, chosen by the contents, so that reading again shows the same.
//   - A misdirected write lands in another place: its own place reads as zeros and the victim's bytes are replaced.
//   - A lost disk comes back empty; files open at that moment fail.
//
// Which faults happen is a list of explicit decisions, [Config.Plan]; there are no background rates. A fault's own
// draws come from a stream named by its id, so removing one from the plan changes nothing about the others. Only the
// outcomes at a crash are drawn, from a stream named by the crash's ordinal.
//
// What the disk does not do: it never loses or reorders what it has reported as synced, it does not evict pages, and it
// knows nothing of the fault atlas. Keeping enough copies intact is the planner's duty.
package simdisk
