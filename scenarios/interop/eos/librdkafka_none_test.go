//go:build !cgo

package eos_test

import (
	"context"
	"errors"
)

// librdkafkaMissing says why there is no librdkafka in this binary.
const librdkafkaMissing = "librdkafka: this binary was built without cgo"

func librdkafka(context.Context, []string, string) error { return errors.New(librdkafkaMissing) }
