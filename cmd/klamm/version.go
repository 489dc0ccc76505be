package main

import (
	"context"
	"runtime"
	"runtime/debug"

	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/spf13/cobra"
)

// versionResult says what this program is made of. Unknown fields are empty.
type versionResult struct {
	Version  string `json:"version"`  // of the module
	Revision string `json:"revision"` // of the source
	Modified bool   `json:"modified"` // the source differs from the revision
	Time     string `json:"time"`     // of the revision
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Kmsg     string `json:"kmsg"` // of Kafka's message definitions
}

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say what this program is made of",
		Args:  cobra.NoArgs,
		RunE: a.does(func(context.Context, []string) error {
			return a.Result(thisVersion())
		}),
	}
}

// thisVersion is that of this program.
func thisVersion() versionResult {
	info, _ := debug.ReadBuildInfo()
	return versionOf(info)
}

// versionOf reads the build's information, which may be nil.
func versionOf(info *debug.BuildInfo) versionResult {
	v := versionResult{Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info == nil {
		return v
	}
	v.Version = info.Main.Version
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		case "vcs.time":
			v.Time = s.Value
		}
	}
	for _, d := range info.Deps {
		if d.Path == "github.com/twmb/franz-go/pkg/kmsg" {
			v.Kmsg = d.Version
		}
	}
	return v
}

// commit is the revision, marked if the source differs from it.
func (v versionResult) commit() string {
	if v.Modified {
		return v.Revision + "+modified"
	}
	return v.Revision
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// AppendText implements [show.Result].
func (v versionResult) AppendText(dst []byte) []byte {
	return show.Table(dst,
		[]string{"klamm", orUnknown(v.Version)},
		[]string{"revision", orUnknown(v.commit())},
		[]string{"time", orUnknown(v.Time)},
		[]string{"go", v.Go + " " + v.Platform},
		[]string{"kmsg", orUnknown(v.Kmsg)},
	)
}
