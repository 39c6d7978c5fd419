package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func openDir(t testing.TB, dir string) *Ledger {
	t.Helper()
	l, err := OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.file.Close() })
	return l
}

// state shows all that a ledger remembers.
func state(l *Ledger) string {
	files := l.Files()
	slices.SortFunc(files, func(a, b File) int { return int(a.ID) - int(b.ID) })
	s := ""
	for _, f := range files {
		s += fmt.Sprintf("%d %s %s/%s len=%d dest=%q", f.ID, f.State, f.Lane, f.Name, f.Length, f.Dest)
		if f.Intent != nil {
			s += fmt.Sprintf(" intent=%d", *f.Intent)
		}
		s += "\n"
	}
	keys := make([]string, 0)
	for k, v := range l.marks {
		keys = append(keys, fmt.Sprintf("mark %s/%d=%d\n", k.lane, k.schema, v))
	}
	slices.Sort(keys)
	for _, k := range keys {
		s += k
	}
	return s + fmt.Sprintf("seq %d", l.seq)
}

// steps is a life of several files, a change for each.
func steps(l *Ledger) []func() error {
	at := time.Unix(1_700_000_000, 0)
	opened := func(lane, name string, schema uint64) func() error {
		return func() error {
			_, err := l.Opened(File{Lane: lane, Name: name, Schema: schema, Dev: 1, Ino: 2, Opened: at})
			return err
		}
	}
	return []func() error{
		opened("conn", "conn", 7),
		func() error { return l.Committed(1, 100, 5) },
		opened("conn", "conn-2", 8),
		func() error { return l.Committed(2, 10, 9) },
		func() error { return l.Intended(1, 120, 30, 11) },
		func() error { return l.Intended(1, 150, 30, 12) },
		func() error { return l.Committed(1, 300, 20) },
		func() error { return l.Rotated(1, 310, 21, at, "2023-11-14/conn.log") },
		opened("conn", "conn", 7),
		func() error { return l.Moved(1) },
		func() error { return l.Committed(3, 50, 30) },
		func() error { return l.Forgotten(1) },
		func() error { return l.Rotated(2, 11, 0, at, "2023-11-14/conn-2.log") },
		func() error { return l.Forgotten(3) },
	}
}

// TestKill: whatever was recorded is known after the process died at any moment,
// and a record that was being written is not.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	l := openDir(t, dir)
	states := []string{state(l)}
	ends := []int64{l.size}
	for _, step := range steps(l) {
		if err := step(); err != nil {
			t.Fatal(err)
		}
		states = append(states, state(l))
		ends = append(ends, l.size)
	}
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(data)) != ends[len(ends)-1] {
		t.Fatalf("%d bytes, want %d", len(data), ends[len(ends)-1])
	}
	dir = t.TempDir()
	var cuts []int
	for i, end := range ends {
		cuts = append(cuts, int(end))
		if i+1 < len(ends) {
			cuts = append(cuts, int(end)+frameSize, int(ends[i+1])-1)
		}
	}
	for _, cut := range cuts {
		if err := os.WriteFile(filepath.Join(dir, name), data[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		i := 0
		for i+1 < len(ends) && ends[i+1] <= int64(cut) {
			i++
		}
		// Cut short and read, then read what that made of it.
		for range 2 {
			l := openDir(t, dir)
			if got := state(l); got != states[i] {
				t.Fatalf("cut at %d, after step %d:\n%s\nwant:\n%s", cut, i, got, states[i])
			}
			l.file.Close()
		}
	}
}

func TestMarks(t *testing.T) {
	l := openDir(t, t.TempDir())
	for _, step := range steps(l) {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		lane   string
		schema uint64
		want   uint64
	}{{"conn", 7, 30}, {"conn", 8, 9}, {"conn", 9, 0}, {"dns", 7, 0}} {
		if got := l.Mark(c.lane, c.schema); got != c.want {
			t.Errorf("Mark(%s, %d) = %d, want %d", c.lane, c.schema, got, c.want)
		}
	}
	if !l.Promised("2023-11-14/conn-2.log") || l.Promised("2023-11-14/conn.log") {
		t.Error("promises are wrong")
	}
	if err := l.ForgetMarks(40); err != nil || l.Mark("conn", 7) != 0 || l.Seq() != 40 {
		t.Errorf("ForgetMarks: %v, mark %d, seq %d", err, l.Mark("conn", 7), l.Seq())
	}
	if err := l.Committed(99, 1, 1); !errors.Is(err, errNoFile) {
		t.Errorf("Committed of no file: %v", err)
	}
}

func TestSettle(t *testing.T) {
	for _, c := range []struct {
		length, want int64
		mark         uint64
	}{
		{100, 100, 5},  // as before the write
		{90, 90, 5},    // somebody cut it
		{101, 100, 5},  // a part of the write
		{129, 100, 5},  //
		{130, 130, 11}, // all of it
		{999, 999, 11}, // and more that nobody announced
	} {
		dir := t.TempDir()
		l := openDir(t, dir)
		id, err := l.Opened(File{Lane: "conn", Schema: 7})
		if err != nil {
			t.Fatal(err)
		}
		err = errors.Join(l.Committed(id, 100, 5), l.Intended(id, 100, 20, 9), l.Intended(id, 100, 30, 11))
		if err != nil {
			t.Fatal(err)
		}
		l = openDir(t, dir)
		for range 2 {
			got, err := l.Settle(id, c.length)
			if err != nil || got != c.want || l.Mark("conn", 7) != c.mark {
				t.Errorf("length %d: cut to %d, mark %d, %v; want %d, %d", c.length, got, l.Mark("conn", 7), err, c.want, c.mark)
			}
			c.length = got
		}
	}
}

// TestRewrite: the file does not grow without bound, and what it remembers is
// not lost by that.
func TestRewrite(t *testing.T) {
	dir := t.TempDir()
	l := openDir(t, dir)
	id, err := l.Opened(File{Lane: "conn", Schema: 7})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 60_000 {
		if err := l.Committed(id, int64(i), uint64(i)); err != nil {
			t.Fatal(err)
		}
		if l.size > 2*growth {
			t.Fatalf("%d bytes after %d records", l.size, i)
		}
	}
	want := state(l)
	if err := l.Sync(); err != nil {
		t.Fatal(err)
	}
	if got := state(openDir(t, dir)); got != want {
		t.Errorf("%s\nwant:\n%s", got, want)
	}
}

func TestCloseEmpty(t *testing.T) {
	dir := t.TempDir()
	l := openDir(t, dir)
	id, err := l.Opened(File{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Forgotten(id), l.Close()); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestForeignFile(t *testing.T) {
	dir := t.TempDir()
	foreign := []byte("not a ledger at all")
	if err := os.WriteFile(filepath.Join(dir, name), foreign, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDir(dir); err == nil {
		t.Fatal("no error")
	}
	if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(got, foreign) {
		t.Errorf("the file was changed: %q, %v", got, err)
	}
}
