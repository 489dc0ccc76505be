// Package one shows that checkers is judged.
package one

import "os" // want `import of os`

var _ = os.Args
