package controller

import (
	"fmt"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/prng"
)

// Controller is the active controller's state.
type Controller struct {
	cfg   config.Broker
	rand  *prng.Rand
	image *metadata.Image // speculative
	next  core.NodeID     // where the next topic's placement starts
}

// New is a controller that goes on from an image, which is its own from now on.
func New(cfg config.Broker, rand *prng.Rand, image *metadata.Image) *Controller {
	return &Controller{cfg: cfg, rand: rand, image: image}
}

// Refusal is Kafka's error for a wish, with words for whoever wished; the zero value is none.
type Refusal struct {
	Code core.ErrorCode
	Why  string
}

// OK reports whether there is no refusal.
func (r Refusal) OK() bool { return r.Code == core.ErrNone }

func refusef(code core.ErrorCode, format string, args ...any) Refusal {
	return Refusal{Code: code, Why: fmt.Sprintf(format, args...)}
}

// Image is the speculative image; read it only.
func (c *Controller) Image() *metadata.Image { return c.image }

// Replay applies records that have been appended to the metadata log from offset base on.
func (c *Controller) Replay(recs []metadata.Record, base core.Offset, epoch core.LeaderEpoch) error {
	for i, r := range recs {
		if err := c.image.Replay(r, base+core.Offset(i), epoch, nil); err != nil {
			return err
		}
	}
	return nil
}

// MetadataVersion is the level at which recs are to be written: the one they set themselves, or the finalized one.
func (c *Controller) MetadataVersion(recs []metadata.Record) metadata.FeatureLevel {
	for _, r := range recs {
		if f, ok := r.(*metadata.FeatureLevelRecord); ok && f.Name == metadata.MetadataVersionFeature {
			return f.FeatureLevel
		}
	}
	return c.image.MetadataVersion()
}

// Registration is what a broker says of itself when it joins.
type Registration struct {
	Incarnation metadata.IncarnationID
	Directory   metadata.DirectoryID
	BrokerEpoch core.BrokerEpoch // offset at which the registration will stand
	Features    []metadata.SupportedFeature
	Unfenced    bool
}

// Register makes the records of a broker's registration, behind those that a new cluster begins with.
func (c *Controller) Register(node core.NodeID, r Registration) []metadata.Record {
	var recs []metadata.Record
	if c.image.MetadataVersion() == 0 {
		// Kafka formats the log with the features' levels first: how to read what follows depends on them.
		recs = append(recs, &metadata.FeatureLevelRecord{
			Name: metadata.MetadataVersionFeature, FeatureLevel: metadata.MetadataVersionMax,
		})
	}
	rec := &metadata.RegisterBrokerRecord{
		BrokerID: node, IncarnationID: r.Incarnation, BrokerEpoch: r.BrokerEpoch + core.BrokerEpoch(len(recs)),
		Features: r.Features, Fenced: !r.Unfenced, LogDirs: []metadata.DirectoryID{r.Directory},
	}
	for _, l := range c.cfg.Listeners {
		rec.Endpoints = append(rec.Endpoints, metadata.Endpoint{
			Name: l.Name, Host: l.AdvertisedHost, Port: uint16(l.AdvertisedPort),
		})
	}
	if c.cfg.Rack != "" {
		rec.Rack = &c.cfg.Rack
	}
	return append(recs, rec)
}

// AllocateProducerIDs hands the broker the next block of n producer ids, [first, first+n) (KIP-730).
func (c *Controller) AllocateProducerIDs(node core.NodeID, epoch core.BrokerEpoch, n int64) (first core.ProducerID, recs []metadata.Record) {
	first = c.image.NextProducerID()
	return first, []metadata.Record{&metadata.ProducerIDsRecord{
		BrokerID: node, BrokerEpoch: epoch, NextProducerID: first + core.ProducerID(n),
	}}
}

// freshTopicID draws an id that no topic has and that Kafka does not reserve.
func (c *Controller) freshTopicID() core.TopicID {
	for {
		id := core.TopicIDFromWords(c.rand.Uint64(), c.rand.Uint64())
		id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // a version 4 UUID
		// Kafka avoids ids whose text begins with a dash: tools would take them for options.
		if c.image.TopicByID(id) == nil && id.String()[0] != '-' {
			return id
		}
	}
}
