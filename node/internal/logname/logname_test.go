package logname_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/znode/znode/fuzz/mutate"
	"github.com/znode/znode/node/internal/logname"
)

func TestFromPath(t *testing.T) {
	long := strings.Repeat("a", logname.MaxLen)
	for _, c := range []struct {
		path, name string
		err        error
	}{
		{"conn", "conn", nil},
		{"packet_filter", "packet_filter", nil},
		{"a-b.C9", "a-b.C9", nil},
		{"", "", logname.ErrEmpty},
		{".", "%2E", nil},
		{"..", "%2E.", nil},
		{"../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd", nil},
		{"/etc/passwd", "%2Fetc%2Fpasswd", nil},
		{".spool", "%2Espool", nil},
		{"a\x00b", "a%00b", nil},
		{"a%2Fb", "a%252Fb", nil},
		{`a\b:c`, "a%5Cb%3Ac", nil},
		{"\xff\n", "%FF%0A", nil},
		{long, long, nil},
		{long + "a", "", logname.ErrLong},
		{strings.Repeat("/", 61), "", logname.ErrLong},
		{strings.Repeat("/", 60), strings.Repeat("%2F", 60), nil},
	} {
		name, err := logname.FromPath([]byte(c.path))
		if name != c.name || !errors.Is(err, c.err) {
			t.Errorf("FromPath(%q) = %q, %v; want %q, %v", c.path, name, err, c.name, c.err)
		}
	}
}

// FuzzFromPath shows that no name leaves its directory and that names differ
// when paths do: a name can be read back.
func FuzzFromPath(tf *testing.F) {
	f := mutate.From(tf)
	for _, s := range []string{"conn", "..", "/", "a/../b", "\x00", "%", "..%2f", "a\\..\\b", "C:x", "", strings.Repeat("a", logname.MaxLen+1), strings.Repeat("/", logname.MaxLen)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, path []byte) {
		name, err := logname.FromPath(path)
		if err != nil {
			return
		}
		file := filepath.Join("/d", name+".log")
		if filepath.Dir(file) != "/d" || filepath.Base(file) != name+".log" || len(name) > logname.MaxLen {
			t.Errorf("%q leads to %s", path, file)
		}
		if name[0] == '.' || strings.ContainsAny(name, "/\\\x00:\n") {
			t.Errorf("%q becomes %q", path, name)
		}
		if back := logname.ToPath(name); !bytes.Equal(back, path) {
			t.Errorf("%q becomes %q, which reads back as %q", path, name, back)
		}
	})
}
