package controller

import (
	"fmt"
	"math"

	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/config"
	"github.com/klamm-log/klamm/core/metadata"
	"github.com/klamm-log/klamm/core/prng"
)

// Controller is the active controller's state.
type Controller struct {
	cfg   config.Broker
	opts  Options
	rand  *prng.Rand
	image *metadata.Image // speculative
	index *index          // a fold of image
	soft  *contacts       // what the log does not say
	duty  duties

	static  map[string]string // the settings below all dynamic ones; for lookups only
	changes []metadata.Change // of the record being replayed; reused
}

// Options is what a controller is told beside the broker's own configuration. Times that are zero take Kafka's
// defaults.
type Options struct {
	SessionTimeout core.Mono         // broker.session.timeout.ms: a broker silent for longer is fenced
	ImbalanceCheck core.Mono         // leader.imbalance.check.interval.seconds
	AutoRebalance  bool              // auto.leader.rebalance.enable
	Static         map[string]string // server.properties: the layer below the cluster's dynamic defaults
}

// Kafka's defaults.
const (
	defaultSessionTimeout = 9 * core.Second
	defaultImbalanceCheck = 300 * core.Second
)

// Activate is a controller that goes on from an image, which is its own from now on. The image must hold everything up
// to the start of the controller's own leader epoch: what an earlier controller proposed is either in it or lost.
//
// Every broker that is not fenced gets a whole session from now on: when it was heard last is not in the log (KIP-631).
func Activate(cfg config.Broker, opts Options, rand *prng.Rand, image *metadata.Image, now core.Now) *Controller {
	if opts.SessionTimeout <= 0 {
		opts.SessionTimeout = defaultSessionTimeout
	}
	if opts.ImbalanceCheck <= 0 {
		opts.ImbalanceCheck = defaultImbalanceCheck
	}
	c := &Controller{cfg: cfg, opts: opts, rand: rand, image: image, index: newIndex(image), static: staticSettings(opts.Static)}
	c.soft = newContacts(opts.SessionTimeout, image, now)
	c.duty = duties{balanceAt: now.Mono.Add(opts.ImbalanceCheck), electAt: now.Mono.Add(electInterval)}
	return c
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

// Replay applies records that have been appended to the metadata log from offset base on, and brings index and soft
// state after them. It is to be called right after the append, with all records of one answer or with consecutive
// parts of them.
func (c *Controller) Replay(recs []metadata.Record, base core.Offset, epoch core.LeaderEpoch) error {
	last := base + core.Offset(len(recs)) - 1
	for i, r := range recs {
		c.changes = c.changes[:0]
		if err := c.image.Replay(r, base+core.Offset(i), epoch, &c.changes); err != nil {
			return err
		}
		for j := range c.changes {
			ch := &c.changes[j]
			c.index.apply(ch)
			c.soft.apply(ch, last)
			c.duty.apply(ch)
			c.assert(ch)
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

// AllocateProducerIDBlock hands the broker the next block of n producer ids, [first, first+n), if epoch is its
// registration's (KIP-730). STALE_BROKER_EPOCH otherwise: the block of a dead incarnation would be lost for good, which
// is harmless, but its answer could reach the new one.
func (c *Controller) AllocateProducerIDBlock(node core.NodeID, epoch core.BrokerEpoch, n int64) (r Refusal, first core.ProducerID, recs []metadata.Record) {
	if r = c.checkEpoch(node, epoch); !r.OK() {
		return r, 0, nil
	}
	first = c.image.NextProducerID()
	if n <= 0 || int64(first) > math.MaxInt64-n {
		return refusef(core.ErrUnknownServerError, "there are no %d producer ids from %d on", n, first), 0, nil
	}
	return Refusal{}, first, []metadata.Record{&metadata.ProducerIDsRecord{
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
