package cli

import (
	"context"
	"runtime"
	"runtime/debug"

	"github.com/klamm-log/klamm/cmd/klamm/show"
	"github.com/spf13/cobra"
)

// Version says what this program is made of. Unknown fields are empty.
type Version struct {
	Version  string `json:"version"`  // of the module
	Revision string `json:"revision"` // of the source
	Modified bool   `json:"modified"` // the source differs from the revision
	Time     string `json:"time"`     // of the revision
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Kmsg     string `json:"kmsg"` // of Kafka's message definitions
}

// NewVersion is klamm version.
func NewVersion(a *App) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say what this program is made of",
		Args:  cobra.NoArgs,
		RunE: a.Does(func(context.Context, []string) error {
			return a.Result(ThisVersion())
		}),
	}
}

// ThisVersion is that of this program.
func ThisVersion() Version {
	info, _ := debug.ReadBuildInfo()
	return VersionOf(info)
}

// VersionOf reads the build's information, which may be nil.
func VersionOf(info *debug.BuildInfo) Version {
	v := Version{Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
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

// Commit is the revision, marked if the source differs from it.
func (v Version) Commit() string {
	if v.Modified {
		return v.Revision + "+modified"
	}
	return v.Revision
}

// OrUnknown is s, or the word for what is not known.
func OrUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// AppendText implements [show.Result].
func (v Version) AppendText(dst []byte) []byte {
	return show.Table(dst,
		[]string{"klamm", OrUnknown(v.Version)},
		[]string{"revision", OrUnknown(v.Commit())},
		[]string{"time", OrUnknown(v.Time)},
		[]string{"go", v.Go + " " + v.Platform},
		[]string{"kmsg", OrUnknown(v.Kmsg)},
	)
}
