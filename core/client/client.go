package client

import (
	"github.com/klamm-log/klamm/core/client/admin"
	"github.com/klamm-log/klamm/core/client/cluster"
	"github.com/klamm-log/klamm/core/client/consumer"
	"github.com/klamm-log/klamm/core/client/producer"
)

// Options configures a [Client]. The zero value of every field but Cluster.Bootstrap means its default.
type Options struct {
	Cluster  cluster.Options
	Producer producer.Options
	Consumer consumer.Options
	Admin    admin.Options
	Seed     uint64 // of jitter and of the partitioners' choices
}

// Validate reports the first option that cannot work.
func (o Options) Validate() error {
	if err := o.Cluster.Validate(); err != nil {
		return err
	}
	if err := o.Producer.Validate(); err != nil {
		return err
	}
	return o.Consumer.Validate()
}
