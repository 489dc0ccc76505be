// Package imports reaches for the machine.
package imports

import (
	"context"        // want `import of context: nothing blocks here`
	_ "crypto/rand"  // want `import of crypto/rand: draw from a labelled stream of core/prng`
	_ "encoding/gob" // want `import of encoding/gob: it encodes maps in iteration order`
	"fmt"
	_ "hash/maphash"      // want `import of hash/maphash`
	_ "log/slog"          // want `import of log/slog: put what should be known into step.Effects or the trace`
	"math/rand"           // want `import of math/rand: draw from a labelled stream of core/prng`
	randv2 "math/rand/v2" // want `import of math/rand/v2`
	_ "net"               // want `import of net: sockets belong to transport`
	_ "net/netip"
	_ "net/textproto" // want `import of net/textproto: sockets belong to transport`
	_ "net/url"
	"os"          // want `import of os: files and the system belong to disk, transport and cmd; the core emits step.DiskOp`
	_ "os/signal" // want `import of os/signal`
	_ "path"
	_ "path/filepath" // want `import of path/filepath: separators differ between systems; use path`
	_ "runtime"       // want `import of runtime: the runtime's state differs between runs`
	_ "runtime/debug" // want `import of runtime/debug`
	"sync"            // want `import of sync: one turn runs on one goroutine; nothing is shared`
	_ "sync/atomic"   // want `import of sync/atomic`
	_ "syscall"       // want `import of syscall`
	_ "unsafe"        // want `import of unsafe: addresses and machine layout differ`

	"github.com/klamm-log/klamm/helper/pure"
)

type guarded struct{ mu sync.Mutex } // the import is the finding, once

func uses(ctx context.Context, g *guarded) {
	g.mu.Lock()
	_ = os.Args
	_, _, _ = rand.Int(), randv2.Int(), ctx
	fmt.Println("hello") // want `fmt.Println: standard input and output belong to cmd; return the text`
	_ = fmt.Sprint("hello")
	_ = pure.Double(2)
}
