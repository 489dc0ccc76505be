package config

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

// ParseProperties reads the syntax of Java's Properties.load, in which Kafka's server.properties is written: one
// "key=value", "key:value" or "key value" per line, comments after # or !, lines continued after a backslash, escapes
// \t \n \r \f \uXXXX. Of a key that comes twice, the last value counts. Bytes outside ASCII are taken as they are, so
// that UTF-8 stays UTF-8; Java would take them for Latin-1.
//
// The only error is a broken \u escape; it names the line.
func ParseProperties(data []byte) (map[string]string, error) {
	props := make(map[string]string)
	lines := naturalLines{rest: data}
	for {
		line, at, ok := lines.logical()
		if !ok {
			return props, nil
		}
		key, value, err := splitProperty(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", at, err)
		}
		props[key] = value
	}
}

// naturalLines cuts text at \n, \r or \r\n.
type naturalLines struct {
	rest []byte
	at   int // number of the last line taken, from 1
}

// next is one line without its terminator and without leading white space.
func (l *naturalLines) next() (line []byte, ok bool) {
	if len(l.rest) == 0 {
		return nil, false
	}
	l.at++
	end := 0
	for end < len(l.rest) && l.rest[end] != '\n' && l.rest[end] != '\r' {
		end++
	}
	line, l.rest = l.rest[:end], l.rest[end:]
	switch {
	case len(l.rest) > 1 && l.rest[0] == '\r' && l.rest[1] == '\n':
		l.rest = l.rest[2:]
	case len(l.rest) > 0:
		l.rest = l.rest[1:]
	}
	for len(line) > 0 && isBlank(line[0]) {
		line = line[1:]
	}
	return line, true
}

// logical is the next line that holds a property, with its continuations, and the number of its first line.
func (l *naturalLines) logical() (line []byte, at int, ok bool) {
	for {
		line, ok = l.next()
		if !ok {
			return nil, 0, false
		}
		if len(line) > 0 && line[0] != '#' && line[0] != '!' {
			break
		}
	}
	at = l.at
	if !continued(line) {
		return line, at, true
	}
	var whole []byte
	for continued(line) {
		whole = append(whole, line[:len(line)-1]...)
		if line, ok = l.next(); !ok {
			return whole, at, true // a backslash at the end of the file continues nothing
		}
	}
	return append(whole, line...), at, true
}

// continued reports whether a line ends in an odd number of backslashes: the last one is no half of an escape.
func continued(line []byte) bool {
	n := 0
	for n < len(line) && line[len(line)-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\f' }

// splitProperty cuts a line after its key: at the first =, : or white space that is not escaped.
func splitProperty(line []byte) (key, value string, err error) {
	end := 0
	for end < len(line) && !isBlank(line[end]) && line[end] != '=' && line[end] != ':' {
		if line[end] == '\\' {
			end++
		}
		end++
	}
	end = min(end, len(line))
	rest := line[end:]
	for separated := false; len(rest) > 0; rest = rest[1:] {
		if !isBlank(rest[0]) {
			if separated || rest[0] != '=' && rest[0] != ':' {
				break
			}
			separated = true
		}
	}
	if key, err = unescape(line[:end]); err != nil {
		return "", "", err
	}
	value, err = unescape(rest)
	return key, value, err
}

// unescape resolves backslashes. \uXXXX are UTF-16 units: two of them may make one character.
func unescape(s []byte) (string, error) {
	var out strings.Builder
	var units []uint16
	flush := func() {
		out.WriteString(string(utf16.Decode(units)))
		units = units[:0]
	}
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			flush()
			if s[i] != '\\' { // a backslash at the very end stands for nothing
				out.WriteByte(s[i])
			}
			continue
		}
		i++
		if s[i] == 'u' {
			unit, ok := hex4(s[i+1:])
			if !ok {
				return "", fmt.Errorf(`\u needs four hexadecimal digits, got %q`, s[i-1:min(len(s), i+5)])
			}
			units = append(units, unit)
			i += 4
			continue
		}
		flush()
		out.WriteByte(escaped(s[i]))
	}
	flush()
	return out.String(), nil
}

// escaped is the character that a backslash before c makes.
func escaped(c byte) byte {
	switch c {
	case 't':
		return '\t'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 'f':
		return '\f'
	}
	return c
}

func hex4(s []byte) (unit uint16, ok bool) {
	if len(s) < 4 {
		return 0, false
	}
	for _, c := range s[:4] {
		unit <<= 4
		switch {
		case '0' <= c && c <= '9':
			unit |= uint16(c - '0')
		case 'a' <= c && c <= 'f':
			unit |= uint16(c - 'a' + 10)
		case 'A' <= c && c <= 'F':
			unit |= uint16(c - 'A' + 10)
		default:
			return 0, false
		}
	}
	return unit, true
}
