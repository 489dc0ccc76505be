package record

// fields locates the parts of one record inside the bytes that it was parsed from. Key and value are half-open
// ranges of positions; a null field has end -1.
type fields struct {
	timestampDelta       int64
	offsetDelta          int32
	headerCount          int32
	keyStart, keyEnd     int
	valueStart, valueEnd int
	headersStart         int
	end                  int // the position after the record
}

// Reasons for which a record is refused; they go into error messages.
const (
	whyLength      = "a record's length is not a varint or exceeds what is left of the batch"
	whyField       = "a record's fields do not fit its length"
	whyHeaderCount = "a record's header count is negative or exceeds its length"
	whyHeader      = "a record's headers do not fit its length"
	whyTrailing    = "a record is longer than its fields"
)

// parseShort is parse for a record without headers whose varints are short, as nearly all are: it returns false
// for any other, good or bad, and leaves it to parse. It makes checking a batch several times faster.
func (f *fields) parseShort(src []byte, pos int) bool {
	length, pos := short(src, pos)
	if pos < 0 || length&1 != 0 || int(length>>1) > len(src)-pos {
		return false
	}
	f.end = pos + int(length>>1)
	b := src[:f.end]
	timestamp, pos := short(b, pos+1)
	if pos < 0 {
		return false
	}
	offset, pos := short(b, pos)
	if pos < 0 {
		return false
	}
	key, pos := short(b, pos)
	if pos < 0 || key > 1 && (key&1 != 0 || int(key>>1) > len(b)-pos) {
		return false
	}
	f.keyStart, f.keyEnd = pos, -1
	if key != 1 {
		pos += int(key >> 1)
		f.keyEnd = pos
	}
	value, pos := short(b, pos)
	if pos < 0 || value > 1 && (value&1 != 0 || int(value>>1) > len(b)-pos) {
		return false
	}
	f.valueStart, f.valueEnd = pos, -1
	if value != 1 {
		pos += int(value >> 1)
		f.valueEnd = pos
	}
	f.timestampDelta, f.offsetDelta = int64(unzigzag(timestamp)), unzigzag(offset)
	f.headersStart, f.headerCount = f.end, 0
	return pos+1 == f.end && b[pos] == 0
}

// parse reads the record at src[pos:] into f. It returns "" or the reason for which these bytes are no record. No
// length reaches beyond the record's own, and the record's not beyond src.
func (f *fields) parse(src []byte, pos int) (why string) {
	if f.parseShort(src, pos) {
		return ""
	}
	length, pos := varint32(src, pos)
	if pos < 0 || length < 0 || int(length) > len(src)-pos {
		return whyLength
	}
	f.end = pos + int(length)
	b := src[:f.end]
	if pos == f.end {
		return whyField
	}
	pos++ // the record's attributes: no bit of them is in use
	f.timestampDelta, pos = varint64(b, pos)
	f.offsetDelta, pos = varint32(b, pos)
	f.keyStart, f.keyEnd, pos = field(b, pos)
	f.valueStart, f.valueEnd, pos = field(b, pos)
	f.headerCount, pos = varint32(b, pos)
	if pos < 0 {
		return whyField
	}
	f.headersStart = pos
	if f.headerCount != 0 {
		// A header takes two bytes at least.
		if f.headerCount < 0 || int(f.headerCount) > (f.end-pos)/2 {
			return whyHeaderCount
		}
		if pos = skipHeaders(b, pos, f.headerCount); pos < 0 {
			return whyHeader
		}
	}
	if pos != f.end {
		return whyTrailing
	}
	return ""
}

// field reads a length and the bytes it announces; -1 is null and gives end -1. Kafka reads any negative
// length as null, which would admit records that other clients refuse.
func field(b []byte, pos int) (start, end, next int) {
	n, pos := varint32(b, pos)
	if pos < 0 || n < -1 || int(n) > len(b)-pos {
		return 0, 0, -1
	}
	if n < 0 {
		return pos, -1, pos
	}
	return pos, pos + int(n), pos + int(n)
}

// skipHeaders walks count headers, each a key that is not null and a value that may be. KIP-82.
func skipHeaders(b []byte, pos int, count int32) int {
	for ; count > 0 && pos >= 0; count-- {
		var keyEnd int
		if _, keyEnd, pos = field(b, pos); keyEnd < 0 {
			return -1
		}
		_, _, pos = field(b, pos)
	}
	return pos
}
