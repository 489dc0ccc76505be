package conn

// VersionRange is the range of versions of one API key that a broker accepts, both ends included.
type VersionRange struct{ Key, Min, Max int16 }

// maxKeys bounds the table of [Versions]; Kafka 4.4's last key is 94.
const maxKeys = 128

// Versions says which API keys and versions a listener accepts. What ApiVersions advertises is the broker's own
// affair and may be wider (Produce 0 to 2 are advertised and refused: KAFKA-18659). The zero value accepts nothing.
// A Versions is not changed after its making and may be shared.
type Versions struct {
	ranges [maxKeys]VersionRange
	known  [maxKeys]bool
}

// NewVersions is the table of the given ranges. Keys outside [0, 128) and empty ranges are ignored: they accept
// nothing.
func NewVersions(ranges ...VersionRange) *Versions {
	v := &Versions{}
	for _, r := range ranges {
		if r.Key >= 0 && r.Key < maxKeys && r.Min <= r.Max {
			v.ranges[r.Key], v.known[r.Key] = r, true
		}
	}
	return v
}

// Range is the accepted range of a key, and whether there is one.
func (v *Versions) Range(key int16) (VersionRange, bool) {
	if v == nil || key < 0 || key >= maxKeys || !v.known[key] {
		return VersionRange{}, false
	}
	return v.ranges[key], true
}

// Accepts reports whether a request of this key and version is served.
func (v *Versions) Accepts(key, version int16) bool {
	r, ok := v.Range(key)
	return ok && version >= r.Min && version <= r.Max
}
