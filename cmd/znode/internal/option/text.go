package option

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// path is the kind of a file or directory name.
func path(placeholder string) Kind {
	return NewKind(placeholder, "a path", func(text string) (string, error) {
		switch {
		case text == "":
			return "", errWant
		case strings.ContainsRune(text, 0):
			return "", errors.New("NUL in path")
		}
		return text, nil
	}, verbatim)
}

// optionalPath is path where empty has a meaning.
func optionalPath(placeholder string) Kind {
	return NewKind(placeholder, "a path, or empty", withoutNUL, verbatim)
}

// program is the kind of a program with its arguments, separated by spaces.
var program = NewKind("COMMAND", "a program and its arguments, or empty", withoutNUL, verbatim)

func withoutNUL(text string) (string, error) {
	if strings.ContainsRune(text, 0) {
		return "", errors.New("NUL in it")
	}
	return text, nil
}

const maxNodeName = 64

// nodeName is the kind of a name as Zeek's cluster layouts have it: it becomes
// part of node ids, topics and metric labels.
var nodeName = NewKind("NAME", fmt.Sprintf("up to %d letters, digits, '-', '_' or '.'", maxNodeName),
	func(text string) (string, error) {
		if text == "" || len(text) > maxNodeName || strings.ContainsFunc(text, func(c rune) bool { return !isNameByte(c) }) {
			return "", errWant
		}
		return text, nil
	}, verbatim)

// telemetryKinds is the kind of a set of names, separated by commas.
var telemetryKinds = func() Kind {
	names := []string{"info", "verbose", "debug"}
	k := NewKind("KINDS", "names separated by commas, of "+orList(names)+", or nothing for none", func(text string) (string, error) {
		for name := range strings.SplitSeq(text, ",") {
			if text != "" && !slices.Contains(names, name) {
				return "", errWant
			}
		}
		return text, nil
	}, verbatim)
	k.Empty = true
	return k
}()

const maxTopic = 256

// topicPrefix is the kind of the beginning of a topic.
var topicPrefix = NewKind("PREFIX", fmt.Sprintf("1 to %d printable characters", maxTopic), func(text string) (string, error) {
	if text == "" || len(text) > maxTopic || strings.ContainsFunc(text, func(c rune) bool { return c < '!' || c > '~' }) {
		return "", errWant
	}
	return text, nil
}, verbatim)

// maxMark bounds separators and placeholders in log files.
const maxMark = 64

// mark is the kind of a string that is written into log lines: escapes \xNN,
// \t and \\ are resolved. A line end would break the lines apart.
func mark(empty bool) Kind {
	allowed := fmt.Sprintf(`up to %d bytes, with \t, \\ and \x09 for what cannot be typed, and no line end`, maxMark)
	if !empty {
		allowed = "1 " + strings.Replace(allowed, "up to", "to", 1)
	}
	k := NewKind("STRING", allowed, func(text string) (string, error) {
		s, err := unescape(text)
		switch {
		case err != nil:
			return "", err
		case s == "" && !empty, len(s) > maxMark, strings.ContainsAny(s, "\r\n"):
			return "", errWant
		}
		return s, nil
	}, escape)
	k.Empty = empty
	return k
}

func unescape(text string) (string, error) {
	var b strings.Builder
	for len(text) > 0 {
		plain, rest, found := strings.Cut(text, `\`)
		b.WriteString(plain)
		if !found {
			break
		}
		switch {
		case strings.HasPrefix(rest, `t`):
			b.WriteByte('\t')
			text = rest[1:]
		case strings.HasPrefix(rest, `\`):
			b.WriteByte('\\')
			text = rest[1:]
		case strings.HasPrefix(rest, "x") && len(rest) >= 3:
			c, err := strconv.ParseUint(rest[1:3], 16, 8)
			if err != nil {
				return "", errors.New(`\x needs two hexadecimal digits`)
			}
			b.WriteByte(byte(c))
			text = rest[3:]
		default:
			return "", errors.New("unknown escape")
		}
	}
	return b.String(), nil
}

// escape is the inverse of unescape, in printable ASCII.
func escape(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case c == '\\':
			b.WriteString(`\\`)
		case c < 0x20 || c > 0x7e:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
