package sim_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/sim"
)

// A capsule read back is the capsule written, and its plan runs to the same chain.
func TestCapsuleRepeatsItsRun(t *testing.T) {
	plan := tiny(7)
	first := sim.Run(plan, sim.Options{})
	stored, err := sim.NewCapsule(plan, first, []string{"none"}).Encode()
	require.NoError(t, err)
	c, err := sim.ParseCapsule(stored)
	require.NoError(t, err)
	require.Equal(t, plan, c.Plan)
	require.Nil(t, sim.Compare(c.Chain, sim.Run(c.Plan, sim.Options{}).Chain))
}

func TestCompareNamesTheFirstDifference(t *testing.T) {
	a := []sim.Link{{Events: 10, At: 1, Hash: "x"}, {Events: 20, At: 2, Hash: "y"}, {Events: 30, At: 3, Hash: "z"}}
	b := append([]sim.Link(nil), a...)
	require.Nil(t, sim.Compare(a, b))
	b[1].Hash = "other"
	d := sim.Compare(a, b)
	require.NotNil(t, d)
	require.Equal(t, a[0], d.After)
	require.Equal(t, a[1], d.Before)
	require.Equal(t, b[1], d.Got)
	require.Contains(t, d.String(), "agree up to event 10")
	require.NotNil(t, sim.Compare(a, a[:2]), "a repetition that ended early differs")
	require.NotNil(t, sim.Compare(a[:2], a), "and so does one that went on")
}

func TestCapsulesThatCannotBeRun(t *testing.T) {
	for what, bad := range map[string]string{
		"not JSON":            "hello",
		"another schema":      `{"schema":"klamm.capsule/v9"}`,
		"unknown field":       `{"schema":"klamm.capsule/v1","surprise":1}`,
		"no brokers":          `{"schema":"klamm.capsule/v1","plan":{"brokers":[]}}`,
		"a fault in the past": `{"schema":"klamm.capsule/v1","plan":{"brokers":[{}],"faults":[{"kind":"crash","at_ns":-1}]}}`,
	} {
		_, err := sim.ParseCapsule([]byte(bad))
		require.Error(t, err, what)
	}
}

func FuzzParseCapsule(f *testing.F) {
	plan := tiny(1)
	good, err := sim.NewCapsule(plan, sim.Result{}, nil).Encode()
	require.NoError(f, err)
	f.Add(good)
	f.Add([]byte(`{"schema":"klamm.capsule/v1","plan":{"brokers":[{}]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := sim.ParseCapsule(b)
		if err != nil {
			return
		}
		again, err := c.Encode()
		require.NoError(t, err)
		back, err := sim.ParseCapsule(again)
		require.NoError(t, err)
		require.Equal(t, c, back)
	})
}
