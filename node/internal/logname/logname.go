package logname

import "errors"

// MaxLen bounds a mapped name, in bytes. It leaves room in a file name of 255
// bytes for what rotation appends to it.
const MaxLen = 180

// The reasons why a path has no name.
var (
	ErrEmpty = errors.New("path is empty")
	ErrLong  = errors.New("path is too long for a file name")
)

// FromPath returns the file name, without ".log", for a path from the wire.
func FromPath(path []byte) (string, error) {
	if len(path) == 0 {
		return "", ErrEmpty
	}
	if len(path) > MaxLen {
		return "", ErrLong
	}
	const hex = "0123456789ABCDEF"
	name := make([]byte, 0, MaxLen+3)
	for i, c := range path {
		if plain(c) && (c != '.' || i > 0) {
			name = append(name, c)
		} else {
			name = append(name, '%', hex[c>>4], hex[c&15])
		}
		if len(name) > MaxLen {
			return "", ErrLong
		}
	}
	return string(name), nil
}

func plain(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return c == '_' || c == '-' || c == '.'
}

// ToPath returns the path that a name was made from.
func ToPath(name string) []byte {
	path := make([]byte, 0, len(name))
	for i := 0; i < len(name); i++ {
		if name[i] == '%' && i+2 < len(name) {
			path = append(path, unhex(name[i+1])<<4|unhex(name[i+2]))
			i += 2
			continue
		}
		path = append(path, name[i])
	}
	return path
}

func unhex(c byte) byte {
	if c >= 'A' {
		return c - 'A' + 10
	}
	return c - '0'
}
