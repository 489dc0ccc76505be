// Package one shows that sim is judged.
package one

import "os" // want `import of os`

var _ = os.Args
