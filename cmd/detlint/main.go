package main

import (
	"os"
	"slices"

	"golang.org/x/tools/go/analysis/singlechecker"
)

// main leaves test variants out unless the caller asks for them: test files are never judged, and loading them
// doubles the time.
func main() {
	os.Args = slices.Insert(os.Args, 1, "-test=false")
	singlechecker.Main(newAnalyzer())
}
