package codec

import (
	"bytes"
	"errors"
	"math"
	"net/netip"
	"testing"

	"github.com/znode/znode/fuzz/mutate"
)

// logNarrow has columns for values that logWide has and it cannot hold, and records
// in a record that may be unset.
type logNarrow struct {
	logEverything
	Small  uint16   `zeek:"small,optional"`
	Single float32  `zeek:"single,optional"`
	Deep   *logDeep `zeek:"deep"`
}

type logWide struct {
	logEverything
	Small  uint64   `zeek:"small,optional"`
	Single float64  `zeek:"single,optional"`
	Deep   *logDeep `zeek:"deep"`
}

type logDeep struct {
	ID   logConnID `zeek:"id"`
	Note string    `zeek:"note,optional"`
}

// logSeeds are batches of none, one, two and three records, and of one that
// a logNarrow cannot hold.
func logSeeds(f *mutate.F) (batches [][]byte) {
	s := MustLogStream[logWide](BatchHeader{Stream: "Test::LOG", Path: "test"})
	w := s.NewWriter()
	full := logWide{logEverything: logValue()}
	nested := full
	nested.Tunnel, nested.Service, nested.Tags, nested.Parents = &full.ID, nil, map[string]struct{}{}, nil
	long := full
	for range 40 { // more than room is made for at once
		long.Answers = append(long.Answers, netip.MustParseAddr("10.0.0.1"))
	}
	long.Small, long.Single, long.Deep = 1<<16-1, -0.5, &logDeep{ID: full.ID}
	count, double, inf := full, full, full
	count.Small, double.Single, inf.Single = 1<<16, 1e300, math.Inf(-1)
	for _, records := range [][]logWide{{}, {full}, {full, nested}, {long, full, nested}, {count}, {double}, {inf, double, count, long}} {
		w.Start(nil)
		for i := range records {
			if err := w.Write(&records[i]); err != nil {
				f.Fatal(err)
			}
		}
		batches = append(batches, w.Finish())
	}
	return batches
}

// FuzzLogReader sets structs from any batch; what it accepts, it can write,
// and reads the same again, also into a struct that has held something else.
func FuzzLogReader(tf *testing.F) {
	f := mutate.From(tf)
	s := MustLogStream[logNarrow](BatchHeader{Stream: "Test::LOG", Path: "test"})
	for _, b := range logSeeds(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		var b Batch
		if b.DecodeHeader(payload) != nil {
			return
		}
		r := s.NewReader()
		if err := r.Bind(&b); err != nil {
			checkValueError(t, err)
			return
		}
		w, filledAgain := s.NewWriter(), s.NewWriter()
		var kept []logNarrow
		var used logNarrow
		w.Start(nil)
		filledAgain.Start(nil)
		for records := b.Records(); records.Next(); {
			var rec logNarrow
			err := r.Scan(&records, &rec)
			if errUsed := r.Scan(&records, &used); (err == nil) != (errUsed == nil) {
				t.Fatalf("%v, but %v where something has been", err, errUsed)
			}
			if err != nil {
				checkValueError(t, err)
			} else if err := w.Write(&rec); err != nil {
				checkValueError(t, err)
			} else if err := filledAgain.Write(&used); err != nil {
				t.Fatal(err)
			} else {
				kept = append(kept, rec)
			}
		}
		out := w.Finish()
		if other := filledAgain.Finish(); !bytes.Equal(out, other) {
			t.Fatalf("filled again a record is another:\n%x\n%x", out, other)
		}
		if err := b.Decode(out); err != nil || b.NumRecords != len(kept) {
			t.Fatalf("%d of %d records, %v", b.NumRecords, len(kept), err)
		}
		if err := r.Bind(&b); err != nil {
			t.Fatal(err)
		}
		records := b.Records()
		for i := range kept {
			records.Next()
			var again logNarrow
			if err := r.Scan(&records, &again); err != nil {
				t.Fatal(err)
			}
			if again.ID != kept[i].ID || again.UID != kept[i].UID || len(again.Tags) != len(kept[i].Tags) || len(again.TTLs) != len(kept[i].TTLs) ||
				(again.Tunnel == nil) != (kept[i].Tunnel == nil) || again.Net != kept[i].Net.Masked() && again.Net != kept[i].Net ||
				again.Small != kept[i].Small || (again.Deep == nil) != (kept[i].Deep == nil) {
				t.Fatalf("%+v\n%+v", again, kept[i])
			}
		}
	})
}

func checkValueError(t *testing.T, err error) {
	var v *ValueError
	var e *Error
	if !errors.As(err, &v) && !errors.As(err, &e) || err.Error() == "" {
		t.Fatalf("%#v", err)
	}
}
