package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/cmd/klamm/exit"
	"github.com/klamm-log/klamm/core"
	"github.com/klamm-log/klamm/core/client/admin"
)

// A leader that may not say what is committed is not a broker that cannot be reached: what is to be done differs.
func TestNoEnd(t *testing.T) {
	row := admin.PartitionOffset{TopicPartition: core.TopicPartition{Topic: "t", Partition: 1}, Err: core.ErrOffsetNotAvailable}
	err := noEnd(row)
	require.ErrorContains(t, err, "the end of t-1: OFFSET_NOT_AVAILABLE: its leader is new")
	require.Equal(t, exit.TempFail, exit.Of(err))
	row.Err = core.ErrTopicAuthorizationFailed
	require.EqualError(t, noEnd(row), "the end of t-1: TOPIC_AUTHORIZATION_FAILED")
}
