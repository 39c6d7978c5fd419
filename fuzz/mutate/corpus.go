package mutate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

// version is the first line of the engine's files. Each line after it is a value in
// Go's syntax, such as []byte("\x00") or uint16(40).
const version = "go test fuzz v1"

// errStale is for an input of what the target once was.
var errStale = errors.New("it does not fit the target")

// readCorpus reads the files of a directory, which need not exist, as arguments
// for a target. It returns those that fit and, if there are others, errStale.
func readCorpus(dir string, target reflect.Type) (inputs [][]any, err error) {
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var stale error
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil {
			return nil, err
		}
		args, err := unmarshal(string(data), target)
		switch {
		case errors.Is(err, errStale):
			stale = fmt.Errorf("%s: %w", filepath.Join(dir, file.Name()), err)
		case err != nil:
			return nil, fmt.Errorf("%s: %w", filepath.Join(dir, file.Name()), err)
		default:
			inputs = append(inputs, args)
		}
	}
	return inputs, stale
}

func unmarshal(text string, target reflect.Type) (args []any, err error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if lines[0] != version {
		return nil, fmt.Errorf("the first line is %q, want %q", lines[0], version)
	}
	lines = lines[1:]
	if len(lines) != target.NumIn()-1 {
		return nil, fmt.Errorf("%w: %d values for %d arguments", errStale, len(lines), target.NumIn()-1)
	}
	for i, line := range lines {
		v, err := value(line)
		if err != nil {
			return nil, fmt.Errorf("value %q: %w", line, err)
		}
		if want := target.In(i + 1); reflect.TypeOf(v) != want {
			return nil, fmt.Errorf("%w: value %q is of type %T, want %s", errStale, line, v, want)
		}
		args = append(args, v)
	}
	return args, nil
}

// value reads one value of the types that our targets have.
func value(line string) (any, error) {
	kind, text, _ := strings.Cut(strings.TrimSuffix(line, ")"), "(")
	switch kind {
	case "[]byte":
		s, err := strconv.Unquote(text)
		return []byte(s), err
	case "string":
		return strconv.Unquote(text)
	case "bool":
		return strconv.ParseBool(text)
	case "byte":
		s := strings.TrimSuffix(strings.TrimPrefix(text, "'"), "'")
		r, _, _, err := strconv.UnquoteChar(s, '\'')
		return byte(r), err
	case "uint8":
		n, err := strconv.ParseUint(text, 0, 8)
		return byte(n), err
	case "uint16":
		n, err := strconv.ParseUint(text, 0, 16)
		return uint16(n), err
	case "uint64":
		return strconv.ParseUint(text, 0, 64)
	}
	return nil, errors.New("of an unknown type")
}

// marshal is the reverse of unmarshal.
func marshal(args []reflect.Value) []byte {
	out := []byte(version + "\n")
	for _, arg := range args {
		switch v := arg.Interface().(type) {
		case []byte:
			out = fmt.Appendf(out, "[]byte(%q)\n", v)
		case string:
			out = fmt.Appendf(out, "string(%q)\n", v)
		case byte:
			out = fmt.Appendf(out, "byte(%q)\n", rune(v))
		default:
			out = fmt.Appendf(out, "%T(%v)\n", v, v)
		}
	}
	return out
}
