// Package untouched has test files that do what only tests may.
package untouched
