package untouched_test

import "os"

var _ = os.Args
