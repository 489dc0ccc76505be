package conn

// Error is a reason why a connection cannot go on. The values are constants; compare with errors.Is.
type Error string

// Error makes the value an error.
func (e Error) Error() string { return string(e) }

// The reasons.
const (
	// ErrFrameLength is a negative length or one beyond the limit.
	ErrFrameLength Error = "conn: refused frame length"
	// ErrUnknownRequest is a key or version that is not served.
	ErrUnknownRequest Error = "conn: request not served"
	// ErrMalformed is a frame that is not what its header says.
	ErrMalformed Error = "conn: malformed frame"
	// ErrCorrelation is a response to a request that was not sent, or out of order.
	ErrCorrelation Error = "conn: response without its request"
	// ErrTooLarge is an encoded message that a frame cannot hold.
	ErrTooLarge Error = "conn: message too large"
)
