package scenarios_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klamm-log/klamm/scenarios"
)

func TestOverride(t *testing.T) {
	p, err := scenarios.LoadProfile("cluster")
	require.NoError(t, err)
	got, err := scenarios.Override(p, []string{
		"safety_ms=[1000,2000]", "faults.crash.count=[1,9]", "faults.cut.per_mille=0", "faults.1.per_mille=7", "cluster.voters=[3,5]",
	})
	require.NoError(t, err)
	want, err := scenarios.LoadProfile("cluster")
	require.NoError(t, err)
	want.SafetyMs = scenarios.Range{1000, 2000}
	cuts := 0
	for i := range want.Faults {
		switch f := &want.Faults[i]; f.Kind {
		case "crash":
			f.Count = scenarios.Range{1, 9}
		case "cut":
			f.PerMille = 0
			cuts++
		}
	}
	require.Greater(t, cuts, 1, "all rules of a kind are changed: the profile no longer has a kind with two")
	want.Faults[1].PerMille = 7
	want.Cluster.Voters = []int64{3, 5}
	require.Equal(t, want, got)

	again, err := scenarios.LoadProfile("cluster")
	require.NoError(t, err)
	require.Equal(t, again, p, "the profile that was given is as before")
	same, err := scenarios.Override(p, nil)
	require.NoError(t, err)
	require.Equal(t, p, same)
}

// Every built-in profile survives being written and read, which is what an override does.
func TestOverrideRoundTrip(t *testing.T) {
	for _, name := range scenarios.Profiles() {
		p, err := scenarios.LoadProfile(name)
		require.NoError(t, err)
		same, err := scenarios.Override(p, []string{"doc=\"\""})
		require.NoError(t, err)
		same.Doc = p.Doc
		require.Equal(t, p, same, name)
		require.Equal(t, scenarios.Draw(7, p), scenarios.Draw(7, same), name)
	}
}

func TestOverrideRefuses(t *testing.T) {
	p, err := scenarios.LoadProfile("default")
	require.NoError(t, err)
	for setting, why := range map[string]string{
		"safety_ms":                "sets nothing",
		"=1":                       "sets nothing",
		"safety_ms=[1,":            "not JSON",
		"safety_ms=1 2":            "more than one value",
		"safety_ms=[2000,1000]":    "is not a range",
		"safety=[1,2]":             "unknown field",
		"faults.crsh.count=[1,2]":  `no "crsh" here, but clean-reboot, clock-drift`,
		"faults.99.count=[1,2]":    "no rule 99",
		"faults.crash.cuont=[1,2]": "unknown field",
		"faults.crash.count=[9,1]": "ends before it begins",
		"safety_ms.x.y=1":          "there is no",
		"settle_ms.x=1":            "nothing below",
		"name=\"x\"":               "names the streams",
		"cluster.brokers=[3,3]":    "a cluster has brokers, voters and timeouts",
	} {
		_, err := scenarios.Override(p, []string{setting})
		require.ErrorContains(t, err, why, setting)
	}
}

// What a setting does not concern is drawn as without it.
func TestOverrideLeavesTheRest(t *testing.T) {
	p, err := scenarios.LoadProfile("default")
	require.NoError(t, err)
	calm, err := scenarios.Override(p, []string{"disk=[]"})
	require.NoError(t, err)
	for seed := range uint64(20) {
		a, b := scenarios.Draw(seed, p), scenarios.Draw(seed, calm)
		for i := range a.Brokers {
			a.Brokers[i].Disk = b.Brokers[i].Disk
		}
		require.Equal(t, a, b)
	}
}
