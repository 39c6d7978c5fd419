package codec

import (
	"errors"
	"testing"

	"github.com/znode/znode/fuzz/mutate"
)

// FuzzLogReader sets structs from any batch; what it accepts, it can write,
// and reads the same again.
func FuzzLogReader(tf *testing.F) {
	f := mutate.From(tf)
	s := MustLogStream[logEverything](BatchHeader{Stream: "Test::LOG", Path: "test"})
	w := s.NewWriter()
	for n := range 3 {
		w.Start(nil)
		for i := range n {
			rec := logValue()
			if i > 0 {
				rec.Tunnel, rec.Service, rec.Tags, rec.Parents = &rec.ID, nil, map[string]struct{}{}, nil
			}
			if err := w.Write(&rec); err != nil {
				f.Fatal(err)
			}
		}
		f.Add(w.Finish())
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
		w := s.NewWriter()
		var kept []logEverything
		w.Start(nil)
		for records := b.Records(); records.Next(); {
			var rec logEverything
			if err := r.Scan(&records, &rec); err != nil {
				checkValueError(t, err)
			} else if err := w.Write(&rec); err != nil {
				checkValueError(t, err)
			} else {
				kept = append(kept, rec)
			}
		}
		out := w.Finish()
		if err := b.Decode(out); err != nil || b.NumRecords != len(kept) {
			t.Fatalf("%d of %d records, %v", b.NumRecords, len(kept), err)
		}
		if err := r.Bind(&b); err != nil {
			t.Fatal(err)
		}
		records := b.Records()
		for i := range kept {
			records.Next()
			var again logEverything
			if err := r.Scan(&records, &again); err != nil {
				t.Fatal(err)
			}
			if again.ID != kept[i].ID || again.UID != kept[i].UID || len(again.Tags) != len(kept[i].Tags) || len(again.TTLs) != len(kept[i].TTLs) ||
				(again.Tunnel == nil) != (kept[i].Tunnel == nil) || again.Net != kept[i].Net.Masked() && again.Net != kept[i].Net {
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
