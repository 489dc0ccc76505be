package procs

import "syscall"

// attributes put a node into a process group of its own, so that an interrupt from the terminal reaches only the process
// that started it, which then stops the nodes in order; and let it die with that process.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
