//go:build !cgo

package groups_test

import (
	"context"
	"errors"
)

func librdkafkaMember(context.Context, []string, string, string, *processed) error {
	return errors.New("this binary was built without cgo")
}
