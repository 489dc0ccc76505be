//go:build !linux && !js

package procs

import "syscall"

// attributes are the system's own: the nodes outlive a process that is killed.
func attributes() *syscall.SysProcAttr { return nil }
