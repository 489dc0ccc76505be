package core

// Mono is monotonic time in nanoseconds since the process started. Deadlines, timeouts and lag use it.
type Mono int64

// Wall is wall-clock time in milliseconds since the Unix epoch. It may jump. Only LogAppendTime, timestamp
// bounds and retention use it.
type Wall int64

// NoTimestamp is Kafka's "no timestamp" (-1).
const NoTimestamp Wall = -1

// Units of [Mono].
const (
	Microsecond Mono = 1_000
	Millisecond Mono = 1_000 * Microsecond
	Second      Mono = 1_000 * Millisecond
	Minute      Mono = 60 * Second
)

// Millis is ms milliseconds as a span of [Mono], saturating instead of overflowing, because Kafka's
// configurations use the largest int64 for "never".
func Millis(ms int64) Mono {
	const most = int64(1<<63-1) / int64(Millisecond)
	if ms > most {
		return 1<<63 - 1
	}
	return Mono(ms) * Millisecond
}

// Add is m+d, saturating at the largest instant, so that "now + never" stays in the future.
func (m Mono) Add(d Mono) Mono {
	if d > 0 && m > (1<<63-1)-d {
		return 1<<63 - 1
	}
	return m + d
}

// Now is one instant, read once per turn. Protocol code sees no other clock.
type Now struct {
	Mono Mono
	Wall Wall
}
