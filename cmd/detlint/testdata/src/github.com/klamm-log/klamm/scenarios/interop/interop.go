// Package interop is a module of its own and is not judged.
package interop

import "os/exec"

// Start runs a foreign client.
func Start() error { return exec.Command("kcat").Start() } // want Start:`^os/exec.Command$`
