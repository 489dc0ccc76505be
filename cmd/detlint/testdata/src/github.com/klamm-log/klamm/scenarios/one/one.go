// Package one shows that scenarios is judged.
package one

import "os" // want `import of os`

var _ = os.Args
