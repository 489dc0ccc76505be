package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Type is the type of a configuration's value, numbered as in DescribeConfigs v3+ (KIP-569).
type Type int8

// The types.
const (
	Boolean Type = iota + 1
	String
	Int
	Short
	Long
	Double // kept as text: the core has no floats
	ListOf
	Class
	Password
)

// Update says how a broker's configuration can be changed.
type Update uint8

// The modes of update (KIP-226). What is ClusterWide can be set for one broker too.
const (
	ReadOnly    Update = iota // only in the file, before the start
	ClusterWide               // while running, for all brokers or for one
)

// Def describes one configuration key.
type Def struct {
	Name string
	Type Type
	// Default in text. NoDefault is Kafka's null: the key has no value unless somebody sets it.
	Default   string
	NoDefault bool
	// Min and Max bound numbers; both zero means the range of the type.
	Min, Max int64
	// Values are what a String may be, or what a ListOf may hold; nil means anything.
	Values []string
	// Lacks names a missing feature that every value other than Only would need. Such values are refused, so that
	// nobody relies on what does not happen.
	Lacks, Only string
	// Update is for broker keys; topic keys can always be changed.
	Update    Update
	Sensitive bool
	// Synonyms are the broker keys that give a topic key its default, in order of precedence.
	Synonyms []Synonym
	Doc      string
}

// Synonym is a broker key that stands in for a topic key.
type Synonym struct {
	Name   string
	Factor int64 // topic value = broker value * Factor; negative values stay as they are
}

// text is the topic key's value for a value of the synonym. The value must have passed the synonym's own check.
func (s Synonym) text(value string) string {
	if s.Factor == 1 {
		return value
	}
	n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 32) // keys with units are Int
	if err != nil || n < 0 {
		return "-1" // Kafka: any negative number of hours or minutes is "unlimited"
	}
	return strconv.FormatInt(n*s.Factor, 10)
}

// Check refuses a value that the key cannot have, in words that name the key.
func (d *Def) Check(value string) error {
	if err := d.checkType(value); err != nil {
		return err
	}
	if d.Lacks != "" && strings.TrimSpace(value) != d.Only {
		return fmt.Errorf("%s: only %q is possible, because %s", d.Name, d.Only, d.Lacks)
	}
	return nil
}

func (d *Def) checkType(value string) error {
	switch d.Type {
	case Boolean:
		if _, ok := parseBool(value); !ok {
			return fmt.Errorf("%s: %q is neither true nor false", d.Name, value)
		}
	case Int, Short, Long:
		return d.checkNumber(value)
	case Double:
		if _, ok := parseRate(value); d.Max > 0 && !ok {
			return fmt.Errorf("%s: %q is not a number of at least %d", d.Name, value, d.Min)
		}
		if d.Max == 0 && !isRatio(value) {
			return fmt.Errorf("%s: %q is not a decimal number from 0 to 1", d.Name, value)
		}
	case ListOf:
		for _, e := range SplitList(value) {
			if err := d.checkOneOf(e); err != nil {
				return err
			}
		}
	case String, Class, Password:
		return d.checkOneOf(value)
	}
	return nil
}

func (d *Def) checkOneOf(value string) error {
	if d.Values == nil {
		return nil
	}
	for _, v := range d.Values {
		if v == value {
			return nil
		}
	}
	return fmt.Errorf("%s: %q is none of %s", d.Name, value, strings.Join(d.Values, ", "))
}

func (d *Def) checkNumber(value string) error {
	lowest, highest := d.bounds()
	n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %q is not a whole number of at most 64 bits", d.Name, value)
	case n < lowest:
		return fmt.Errorf("%s: %d is less than %d", d.Name, n, lowest)
	case n > highest:
		return fmt.Errorf("%s: %d is more than %d", d.Name, n, highest)
	}
	return nil
}

// bounds are the least and the greatest value of a number.
func (d *Def) bounds() (lowest, highest int64) {
	lowest, highest = math.MinInt64, math.MaxInt64
	switch d.Type {
	case Int:
		lowest, highest = math.MinInt32, math.MaxInt32
	case Short:
		lowest, highest = math.MinInt16, math.MaxInt16
	default:
	}
	if d.Min != 0 || d.Max != 0 {
		lowest, highest = max(lowest, d.Min), min(highest, d.Max)
	}
	return lowest, highest
}

// SplitList is the elements of a list's text: separated by commas, without the space around them. Empty text is the
// empty list.
func SplitList(value string) []string {
	if strings.TrimSpace(value) == "" {
		return nil
	}
	parts := strings.Split(value, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// parseBool takes true and false in any case, as Kafka does.
func parseBool(value string) (b, ok bool) {
	switch v := strings.TrimSpace(value); {
	case strings.EqualFold(v, "true"):
		return true, true
	case strings.EqualFold(v, "false"):
		return false, true
	}
	return false, false
}

// isRatio reports whether value is a plain decimal number from 0 to 1: no sign, no exponent. Floats are not used: two
// processors need not agree on them.
func isRatio(value string) bool {
	whole, fraction, dotted := strings.Cut(strings.TrimSpace(value), ".")
	if whole == "" && fraction == "" || dotted && !digits(fraction) || !digits(whole) {
		return false
	}
	switch strings.TrimLeft(whole, "0") {
	case "":
		return true
	case "1":
		return strings.Trim(fraction, "0") == ""
	}
	return false
}

// parseRatio is a ratio in millionths; further digits are dropped. The text must be one that isRatio accepts.
func parseRatio(value string) int64 {
	whole, fraction, _ := strings.Cut(strings.TrimSpace(value), ".")
	n, _ := strconv.ParseInt("0"+whole+(fraction + "000000")[:6], 10, 64)
	return n
}

// parseRate is the whole part of a positive number that Java might print, at most 2^63-1: digits, perhaps a fraction,
// perhaps an exponent.
func parseRate(value string) (int64, bool) {
	mantissa, exponent, scaled := strings.Cut(strings.ToUpper(strings.TrimSpace(value)), "E")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	shift, err := strconv.ParseInt(strings.TrimPrefix(exponent, "+"), 10, 16)
	if whole == "" || !digits(whole) || !digits(fraction) || scaled && (err != nil || shift < 0) {
		return 0, false
	}
	text := strings.TrimLeft(whole+(fraction + strings.Repeat("0", int(shift)))[:shift], "0")
	if text == "" {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		n = math.MaxInt64
	}
	return n, true
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
