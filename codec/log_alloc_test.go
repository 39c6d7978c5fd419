package codec_test

import (
	"errors"
	"testing"

	"github.com/znode/znode/codec"
)

// checkAllocs fails if f allocates once it is warm.
func checkAllocs(t *testing.T, what string, f func()) {
	t.Helper()
	f()
	if n := testing.AllocsPerRun(50, f); n != 0 {
		t.Errorf("%s: %v allocations", what, n)
	}
}

// TestLogAllocs covers reading, writing and formatting of real batches.
func TestLogAllocs(t *testing.T) {
	vec, conn := goldenBatches(t, "vec")[0], goldenBatches(t, "own")[2]
	var b codec.Batch
	sum := 0
	checkAllocs(t, "reading", func() {
		for _, payload := range [][]byte{vec, conn} {
			if err := b.Decode(payload); err != nil {
				t.Fatal(err)
			}
			r := b.Records()
			for r.Next() {
				for i := range b.Fields {
					v := r.Value(i)
					for e := v.Elements(); e.Next(); {
						sum += len(e.Value().Bytes())
					}
					sum += len(v.Bytes()) + int(v.Count()) + v.Addr().BitLen() + v.Time().Nanosecond()
				}
			}
		}
	})
	for name, change := range variants {
		for _, payload := range [][]byte{vec, conn} {
			f := newFormatter(t, change)
			var dst []byte
			checkAllocs(t, name, func() {
				err := b.DecodeHeader(payload)
				if err != nil {
					t.Fatal(err)
				}
				if dst, err = f.AppendRecords(dst[:0], &b); err != nil || len(dst) == 0 {
					t.Fatal(len(dst), err)
				}
			})
		}
	}
	conns := connRecords(4)
	w, err := codec.NewBatchWriter(connHeader())
	if err != nil {
		t.Fatal(err)
	}
	var dst []byte
	checkAllocs(t, "writing", func() {
		w.Start(dst[:0])
		for i := range conns {
			writeConn(w, &conns[i])
			if err := w.EndRecord(); err != nil {
				t.Fatal(err)
			}
		}
		dst = w.Finish()
	})
}

// TestLogErrorAllocs covers what a hostile peer can make us do per message, and
// a mistake per record.
func TestLogErrorAllocs(t *testing.T) {
	conn := goldenBatches(t, "own")[2]
	var b codec.Batch
	f := newFormatter(t, func(*codec.TextOptions) {})
	dst := make([]byte, 0, 1<<16)
	checkAllocs(t, "bad header", func() {
		if b.DecodeHeader(conn[:100]) == nil {
			t.Fatal("accepted")
		}
	})
	checkAllocs(t, "bad record", func() {
		cut := conn[:len(conn)-1]
		if b.DecodeHeader(cut) != nil || b.Decode(cut) == nil {
			t.Fatal("wrong answer")
		}
		if err := b.DecodeHeader(cut); err != nil {
			t.Fatal(err)
		}
		if _, err := f.AppendRecords(dst, &b); !errors.Is(err, codec.ErrTruncated) {
			t.Fatal(err)
		}
	})
	w, err := codec.NewBatchWriter(connHeader())
	if err != nil {
		t.Fatal(err)
	}
	w.Start(dst)
	checkAllocs(t, "mistake", func() {
		w.Timestamp(1)
		w.Count(1)
		if !errors.Is(w.EndRecord(), codec.ErrMismatch) {
			t.Fatal("accepted")
		}
	})
}
