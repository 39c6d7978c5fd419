package node

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/znode/znode/codec"
)

const goldenSenders = 4

// goldenRounds is how often each sender sends all batches of a set, twice: some
// thousand batches and not more than 16 MB, of which a slow machine takes a megabyte a
// second; and a part of that with the race detector, which makes all machines slow.
func goldenRounds(batches [][]byte) int {
	const enough, most = 3000, 16 << 20
	size := 0
	for _, b := range batches {
		size += len(b)
	}
	if raceEnabled {
		size *= 12
	}
	perRound := 2 * goldenSenders
	return max(1, min(enough/(perRound*len(batches)), most/(perRound*size)))
}

// TestLoggerGoldenUnderLoad: files are still byte for byte as Zeek's when several
// senders send thousands of batches at once, each to paths of its own and all to
// the same ones.
func TestLoggerGoldenUnderLoad(t *testing.T) {
	for _, c := range []struct {
		set, variant string
		format       codec.TextFormat
		durability   Durability
	}{
		{"own", "tsv", codec.FormatTSV, DurabilityMemory},
		{"own", "json", codec.FormatJSON, DurabilityJournal},
		{"vec", "tsv", codec.FormatTSV, DurabilityJournal},
		{"vec", "json", codec.FormatJSON, DurabilityMemory},
	} {
		t.Run(c.set+"/"+c.variant, func(t *testing.T) {
			opt := testLoggerOptions(t)
			opt.Text.Format, opt.Durability, opt.MemoryLimit = c.format, c.durability, minMemoryLimit
			l := startLogger(t, opt)
			batches := goldenBatches(t, c.set)
			rounds := goldenRounds(batches)
			var wg sync.WaitGroup
			for sender := range goldenSenders {
				push := connectPUSH(t, l)
				wg.Go(func() {
					for range rounds {
						for _, b := range batches {
							sendBatch(t, push, b)
							sendBatch(t, push, ownPath(b, sender))
						}
					}
				})
			}
			wg.Wait()
			awaitMessages(t, l, 2*goldenSenders*rounds*len(batches))
			closeLogger(t, l)
			golden, _ := filepath.Glob(filepath.Join(goldenDir, c.set, c.variant, "*.log"))
			for _, file := range golden {
				compareRepeated(t, opt.LogDir, file, rounds)
			}
			if written, _ := filepath.Glob(filepath.Join(opt.LogDir, "*.log")); len(golden) == 0 || len(written) != (goldenSenders+1)*len(golden) {
				t.Errorf("wrote %q for %q", written, golden)
			}
		})
	}
}

// ownPath returns a batch under a path that is one sender's.
func ownPath(b []byte, sender int) []byte {
	_, path, _ := batchNames(b)
	name := ownName(string(path), sender)
	at := len(b) - len(after(b, path))
	out := append([]byte(nil), b[:at-len(path)-4]...)
	out = binary.BigEndian.AppendUint32(out, uint32(len(name)))
	return append(append(out, name...), b[at:]...)
}

func ownName(path string, sender int) string { return fmt.Sprintf("%s_of_%d", path, sender) }

// after returns what of b comes behind part, which is a part of its memory.
func after(b, part []byte) []byte { return b[cap(b)-cap(part)+len(part):] }

// compareRepeated compares the logs made of a golden one, whose records were sent
// so many times by each sender.
func compareRepeated(t *testing.T, dir, golden string, rounds int) {
	t.Helper()
	read := func(file string) []byte {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return timeless(data)
	}
	path := string(bytes.TrimSuffix([]byte(filepath.Base(golden)), []byte(".log")))
	head, body, tail := parts(read(golden))
	for sender := range goldenSenders {
		name := ownName(path, sender)
		want := bytes.Replace(head, []byte("#path\t"+path+"\n"), []byte("#path\t"+name+"\n"), 1)
		want = append(append(want[:len(want):len(want)], bytes.Repeat(body, rounds)...), tail...)
		if got := read(filepath.Join(dir, name+".log")); !bytes.Equal(got, want) {
			t.Errorf("%s differs:\n%s\nwant:\n%s", name, cut(got), cut(want))
		}
	}
	gotHead, gotBody, gotTail := parts(read(filepath.Join(dir, path+".log")))
	if !bytes.Equal(gotHead, head) || !bytes.Equal(gotTail, tail) {
		t.Errorf("%s: %q and %q, want %q and %q", path, gotHead, gotTail, head, tail)
	}
	// Whose batch is where is chance, but there must be all of each line.
	left := make(map[string]int)
	for line := range bytes.Lines(body) {
		left[string(line)] += rounds * goldenSenders
	}
	for line := range bytes.Lines(gotBody) {
		if left[string(line)]--; left[string(line)] < 0 {
			t.Fatalf("%s: a line that should not be there: %q", path, line)
		}
	}
	for line, n := range left {
		if n > 0 {
			t.Fatalf("%s: %d times too few: %q", path, n, line)
		}
	}
}

// parts returns the header, the records and the #close line of a log.
func parts(log []byte) (head, body, tail []byte) {
	for line := range bytes.Lines(log) {
		if line[0] != '#' {
			break
		}
		head = log[:len(head)+len(line)]
	}
	body = log[len(head):]
	if i := bytes.LastIndex(body, []byte("\n#close")); i >= 0 {
		body, tail = body[:i+1], body[i+1:]
	}
	return head, body, tail
}
