//go:build !js

package groups

import (
	"math"
	"testing"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/cmd/klamm/kclient"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
)

// A partition has the offsets from 10 to 90, and the group is at 50.
func TestWhereAResetGoes(t *testing.T) {
	tp := core.TopicPartition{Topic: "t"}
	now := []kclient.GroupOffset{{TopicPartition: tp, Offset: 50}}
	for _, test := range []struct {
		to   string
		at   admin.PartitionOffset // what is said of the time
		want int64
		code exit.Code
	}{
		{to: "beginning", want: 10},
		{to: "end", want: 90},
		{to: "20", want: 20},
		{to: "0", want: 10},
		{to: "+5", want: 55},
		{to: "-5", want: 45},
		{to: "-500", want: 10},
		{to: "+0", want: 50},
		{to: "-0", want: 50},
		{to: "+9223372036854775807", want: 90},
		{to: "-9223372036854775808", want: 10},
		{to: "@1000", at: admin.PartitionOffset{Offset: 30}, want: 30},
		{to: "@1000", at: admin.PartitionOffset{Offset: core.NoOffset}, want: 90}, // no record is that young
		{to: "@1000", at: admin.PartitionOffset{Offset: core.NoOffset, Err: core.ErrRequestTimedOut}, code: exit.TempFail},
		{to: "beginning", at: admin.PartitionOffset{Offset: core.NoOffset, Err: core.ErrRequestTimedOut}, want: 10}, // no time is asked for
	} {
		to, err := parseTarget(test.to)
		if err != nil {
			t.Fatal(err)
		}
		row, err := to.move(tp, now, 10, 90, test.at)
		if exit.Of(err) != test.code || err == nil && row.To != test.want {
			t.Errorf("--to %s: to %d, %v; want %d, exit %d", test.to, row.To, err, test.want, int(test.code))
		}
	}
	far := []kclient.GroupOffset{{TopicPartition: tp, Offset: math.MaxInt64}}
	if row, err := (target{at: noTime, relative: true, shift: 1}).move(tp, far, 0, math.MaxInt64, admin.PartitionOffset{}); err != nil || row.To != math.MaxInt64 {
		t.Errorf("one more than the last offset there can be: %d, %v", row.To, err)
	}
	if _, err := (target{at: noTime, relative: true}).move(tp, nil, 10, 90, admin.PartitionOffset{}); exit.Of(err) != exit.NoInput {
		t.Errorf("from nowhere by nothing: %v", err)
	}
}
