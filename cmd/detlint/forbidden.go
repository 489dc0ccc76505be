package main

import "strings"

// forbiddenPackage gives the advice for a package that deterministic code may not use at all.
func forbiddenPackage(path string) (advice string, forbidden bool) {
	switch path {
	case "net/netip", "net/url": // values and parsing only
		return "", false
	case "math/rand", "math/rand/v2", "crypto/rand", "hash/maphash":
		return "draw from a labelled stream of core/prng", true
	case "unsafe", "C":
		return "addresses and machine layout differ; use encoding/binary", true
	case "log", "log/slog", "flag":
		return "put what should be known into step.Effects or the trace", true
	case "path/filepath":
		return "separators differ between systems; use path", true
	case "encoding/gob":
		return "it encodes maps in iteration order; write an AppendTo", true
	case "context":
		return "nothing blocks here; a timeout is a deadline in the state", true
	case "weak", "plugin":
		return "results depend on the garbage collector or the host", true
	}
	top, _, _ := strings.Cut(path, "/")
	switch {
	case top == "os" || top == "syscall" || path == "io/ioutil" || strings.HasPrefix(path, "golang.org/x/sys"):
		return "files and the system belong to disk, transport and cmd; the core emits step.DiskOp", true
	case top == "net" || path == "crypto/tls":
		return "sockets belong to transport; the core emits step.Send and step.Reply", true
	case top == "sync":
		return "one turn runs on one goroutine; nothing is shared", true
	case top == "runtime":
		return "the runtime's state differs between runs", true
	}
	return "", false
}

// forbiddenObject gives the advice for one function, method or variable of an otherwise allowed package. Keys are
// written as objectKey writes them.
func forbiddenObject(key string) (advice string, forbidden bool) {
	switch key {
	case "time.Now", "time.Since", "time.Until":
		return "time is an input: take core.Now as a parameter", true
	case "time.Sleep", "time.After", "time.Tick", "time.NewTimer", "time.NewTicker", "time.AfterFunc":
		return "nothing waits here: keep a deadline in the state and report it from NextDeadline", true
	case "time.Local", "time.LoadLocation", "time.Time.Local":
		return "the time zone belongs to the machine; use UTC", true
	case "fmt.Print", "fmt.Printf", "fmt.Println", "fmt.Scan", "fmt.Scanf", "fmt.Scanln":
		return "standard input and output belong to cmd; return the text", true
	case "reflect.Value.MapRange", "reflect.Value.MapKeys":
		return "iteration order differs between runs; sort the keys of a typed map", true
	case "reflect.Value.Pointer", "reflect.Value.UnsafePointer", "reflect.Value.UnsafeAddr":
		return "addresses differ between runs", true
	case "reflect.Select", "reflect.Value.Send", "reflect.Value.Recv", "reflect.Value.TrySend", "reflect.Value.TryRecv":
		return "channels depend on the scheduler; return an effect", true
	case "sort.Slice", "sort.Sort":
		return "its order of equal elements is unspecified; use slices.SortFunc with a chain of cmp.Compare in cmp.Or, " +
			"or slices.SortStableFunc", true
	}
	return "", false
}
