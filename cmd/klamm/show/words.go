package show

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Count writes a number with a comma between groups of three digits.
func Count(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	var b strings.Builder
	for i, c := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return sign + b.String()
}

// Rate writes how much comes in a second, with three digits or more: 3.14 M/s, 271 k/s, 42/s.
func Rate(n int64, d time.Duration) string { return Short(PerSecond(n, d)) + "/s" }

// PerSecond is n divided by d in seconds, 0 if no time passed.
func PerSecond(n int64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}

// Short writes a number with three digits and a decimal unit.
func Short(f float64) string {
	unit := ""
	for _, next := range []string{" k", " M", " G", " T"} {
		if f < 999.5 {
			break
		}
		f, unit = f/1000, next
	}
	decimals := 0
	switch {
	case unit == "" && f == float64(int64(f)):
	case f < 9.995:
		decimals = 2
	case f < 99.95:
		decimals = 1
	}
	return strconv.FormatFloat(f, 'f', decimals, 64) + unit
}

// Duration writes a duration with about three digits: 1.23ms, 45.6s, 2m03s, 5h07m.
func Duration(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + Duration(-d)
	case d < time.Microsecond:
		return d.String()
	case d < time.Millisecond:
		return digits(d, time.Microsecond) + "us"
	case d < time.Second:
		return digits(d, time.Millisecond) + "ms"
	case d < time.Minute:
		return digits(d, time.Second) + "s"
	case d < time.Hour:
		s := int64(d.Round(time.Second) / time.Second)
		return strconv.FormatInt(s/60, 10) + "m" + twoDigits(s%60) + "s"
	}
	m := int64(d.Round(time.Minute) / time.Minute)
	return strconv.FormatInt(m/60, 10) + "h" + twoDigits(m%60) + "m"
}

func digits(d, unit time.Duration) string {
	f := float64(d) / float64(unit)
	decimals := 2
	if f >= 99.95 {
		decimals = 0
	} else if f >= 9.995 {
		decimals = 1
	}
	return strconv.FormatFloat(f, 'f', decimals, 64)
}

func twoDigits(n int64) string {
	if n < 10 {
		return "0" + strconv.FormatInt(n, 10)
	}
	return strconv.FormatInt(n, 10)
}

// Table appends rows in aligned columns, two spaces between them; the last column is not padded.
func Table(dst []byte, rows ...[]string) []byte {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		for i, cell := range row {
			dst = append(dst, cell...)
			if i < len(row)-1 {
				dst = append(dst, strings.Repeat(" ", widths[i]+2-utf8.RuneCountInString(cell))...)
			}
		}
		dst = append(dst, '\n')
	}
	return dst
}
