package simdisk

import (
	"fmt"
	"strconv"
)

// Outcome is what a power loss made of one unsynced write.
type Outcome uint8

// The outcomes.
const (
	WriteOld      Outcome = iota // nothing reached the medium
	WriteNew                     // all of it did
	WritePrefix                  // the first bytes did, and the file ends there
	WriteSectors                 // some sectors did, the others hold what was there before, or zeros; the length is as written
	WriteGarbage                 // the length is as written, the bytes are not
	WriteZeroTail                // the first bytes did, zeros follow up to the length as written

	outcomes // one more than the last
)

func outcomeNames() [outcomes]string {
	return [outcomes]string{"old", "new", "prefix", "sectors", "garbage", "zero-tail"}
}

// String is the outcome's name in capsules and reports.
func (o Outcome) String() string {
	if o >= outcomes {
		return "outcome-" + strconv.Itoa(int(o))
	}
	return outcomeNames()[o]
}

// MarshalText writes the outcome's name.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads an outcome's name.
func (o *Outcome) UnmarshalText(b []byte) error {
	for i, name := range outcomeNames() {
		if name == string(b) {
			*o = Outcome(i)
			return nil
		}
	}
	return fmt.Errorf("simdisk: no outcome is called %q", b)
}
