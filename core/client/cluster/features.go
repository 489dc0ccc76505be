package cluster

import "github.com/twmb/franz-go/pkg/kmsg"

// features is what brokers say of the cluster's finalized features (KIP-584). The zero value knows none.
type features struct {
	known  bool
	epoch  int64 // of the finalized features: a broker that lags behind tells older ones
	levels []level
}

// level is one feature's finalized version.
type level struct {
	name string
	max  int16
}

// learn takes them from an answer to ApiVersions, unless it is older than what is known. A broker without any says epoch -1.
func (f *features) learn(resp *kmsg.ApiVersionsResponse) {
	if resp.Version < 3 || resp.FinalizedFeaturesEpoch < 0 || f.known && resp.FinalizedFeaturesEpoch < f.epoch {
		return
	}
	f.known, f.epoch, f.levels = true, resp.FinalizedFeaturesEpoch, f.levels[:0]
	for i := range resp.FinalizedFeatures {
		x := &resp.FinalizedFeatures[i]
		f.levels = append(f.levels, level{x.Name, x.MaxVersionLevel})
	}
}

// Feature is the finalized level of a feature as far as any broker has told; 0 if none has.
func (c *Cluster) Feature(name string) int16 {
	for _, l := range c.features.levels {
		if l.name == name {
			return l.max
		}
	}
	return 0
}
