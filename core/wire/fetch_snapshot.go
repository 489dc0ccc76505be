package wire

import "github.com/twmb/franz-go/pkg/kmsg"

// snapshotEndpoints is the version of FetchSnapshot that names the leader's endpoint (KIP-853).
const snapshotEndpoints int16 = 1

// AppendFetchSnapshotResponse appends the frame of a FetchSnapshot response (KIP-630), versions 0 and 1, whose snapshot
// bytes are somewhere else. lens and cuts are as in [AppendFetchResponse]; Bytes in the body is not read. The bytes need not end with a batch: the follower asks for the rest from where they end. Tags unknown to kmsg
// are not written.
func AppendFetchSnapshotResponse(
	dst []byte, cuts []int, corr int32, version int16, r *kmsg.FetchSnapshotResponse, lens []int64,
) ([]byte, []int) {
	start := len(dst)
	next, spanned := 0, int64(0)
	dst = appendResponseHeader(dst, corr, true)
	dst = appendInt16(appendInt32(dst, r.ThrottleMillis), r.ErrorCode)
	dst = appendArrayLen(dst, len(r.Topics), true)
	for i := range r.Topics {
		t := &r.Topics[i]
		dst = appendString(dst, t.Topic, true)
		dst = appendArrayLen(dst, len(t.Partitions), true)
		for j := range t.Partitions {
			p := &t.Partitions[j]
			dst = appendSnapshotHead(dst, p)
			size := lens[next]
			dst = appendArrayLen(dst, int(size), true)
			cuts = append(cuts, len(dst))
			spanned += size
			next++
			dst = appendSnapshotLeader(dst, p)
		}
		dst = append(dst, 0) // no tags
	}
	return setLength(appendSnapshotEndpoints(dst, version, r), start, spanned), cuts
}

// appendSnapshotHead writes a partition up to its bytes.
func appendSnapshotHead(dst []byte, p *kmsg.FetchSnapshotResponseTopicPartition) []byte {
	dst = appendInt16(appendInt32(dst, p.Partition), p.ErrorCode)
	dst = append(appendInt32(appendInt64(dst, p.SnapshotID.EndOffset), p.SnapshotID.Epoch), 0)
	return appendInt64(appendInt64(dst, p.Size), p.Position)
}

// appendSnapshotLeader writes a partition's one tagged field. Unlike in Fetch its defaults are 0, not -1: an absent tag
// reads as leader 0 of epoch 0.
func appendSnapshotLeader(dst []byte, p *kmsg.FetchSnapshotResponseTopicPartition) []byte {
	if p.CurrentLeader.LeaderID == 0 && p.CurrentLeader.LeaderEpoch == 0 {
		return append(dst, 0)
	}
	dst = append(dst, 1, 0, 4+4+1)
	return append(appendInt32(appendInt32(dst, p.CurrentLeader.LeaderID), p.CurrentLeader.LeaderEpoch), 0)
}

// appendSnapshotEndpoints writes the response's one tagged field.
func appendSnapshotEndpoints(dst []byte, version int16, r *kmsg.FetchSnapshotResponse) []byte {
	if len(r.NodeEndpoints) == 0 || version < snapshotEndpoints {
		return append(dst, 0)
	}
	size := uvarintLen(uint32(len(r.NodeEndpoints)) + 1)
	for i := range r.NodeEndpoints {
		host := r.NodeEndpoints[i].Host
		size += 4 + uvarintLen(uint32(len(host))+1) + len(host) + 2 + 1
	}
	dst = appendUvarint(append(dst, 1, 0), uint32(size))
	dst = appendArrayLen(dst, len(r.NodeEndpoints), true)
	for i := range r.NodeEndpoints {
		e := &r.NodeEndpoints[i]
		dst = appendString(appendInt32(dst, e.NodeID), e.Host, true)
		dst = append(appendInt16(dst, int16(e.Port)), 0)
	}
	return dst
}
