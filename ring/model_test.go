package ring

import (
	"slices"
	"testing"
)

// FuzzMPSC plays a script on a queue and on a slice, from one goroutine. Each
// byte is a call: what in its low bits, how many items in the others.
func FuzzMPSC(f *testing.F) {
	f.Add(uint16(0), []byte{0x08, 0xff, 0xfa, 0xfb, 0xfc, 0x0c})
	f.Add(uint16(1), []byte{0, 0, 1, 0, 4, 0, 5, 0, 1, 4})
	f.Add(uint16(700), []byte{0xfa, 0xfa, 0xfa, 0x14, 0xfb, 0xfc, 0xfc, 0xfc, 0xfb, 0x05, 0xfa, 0xfc, 0xfc, 0xfc})
	f.Fuzz(func(t *testing.T, mark uint16, script []byte) {
		hwm := int(mark) % 2048
		q, want, closed, next := NewMPSC[int](hwm), []int(nil), false, 0
		for at, b := range script {
			size := int(b/8) * 47 // up to nearly three segments
			batch := make([]int, size)
			for i := range batch {
				batch[i] = next + i
			}
			room := max(hwm-len(want), 0)
			if hwm == 0 {
				room = size + 1
			}
			var got, expect int
			switch b % 8 {
			case 0:
				batch = []int{next}
				got, expect = flag(q.Offer(next)), min(1, room)
			case 1:
				batch = []int{next}
				got, expect = flag(q.Force(next)), 1
			case 2:
				got, expect = q.OfferBatch(batch), min(size, room)
			case 3:
				got, expect = size*flag(q.ForceBatch(batch)), size
			case 4, 6, 7:
				dst := make([]int, size+int(b%8/7))
				n := min(len(dst), len(want))
				if q.Drain(dst) != n || !slices.Equal(dst[:n], want[:n]) {
					t.Fatalf("call %d: drained %v, want %v", at, dst, want[:n])
				}
				want, batch = want[n:], nil
			case 5:
				if size%5 == 4 {
					q.Close()
					closed = true
				}
				batch = nil
			}
			if closed {
				expect = 0
			}
			if got != expect {
				t.Fatalf("call %d (%d of %d items): accepted %d, want %d", at, b%8, size, got, expect)
			}
			want, next = append(want, batch[:got]...), next+got
			if q.Len() != len(want) || q.Ended() != (closed && len(want) == 0) || q.Closed() != closed {
				t.Fatalf("call %d: length %d, ended %v, closed %v; want %d items, closed %v",
					at, q.Len(), q.Ended(), q.Closed(), len(want), closed)
			}
		}
	})
}

// FuzzSPSC does the same for the bounded queue.
func FuzzSPSC(f *testing.F) {
	f.Add(uint8(1), []byte{0, 0, 2, 0, 9, 10, 3})
	f.Add(uint8(5), []byte{0x19, 0x22, 0x19, 0x12, 0x31, 0x42, 0x03, 0x08})
	f.Fuzz(func(t *testing.T, capacity uint8, script []byte) {
		limit := max(int(capacity), 1)
		q, want, closed, next := NewSPSC[int](int(capacity)), []int(nil), false, 0
		for at, b := range script {
			size := int(b / 4)
			batch := make([]int, size)
			for i := range batch {
				batch[i] = next + i
			}
			var got, expect int
			switch room := limit - len(want); b % 4 {
			case 0:
				batch = []int{next}
				got, expect = flag(q.Offer(next)), min(1, room)
			case 1:
				got, expect = q.OfferBatch(batch), min(size, room)
			case 2:
				dst := make([]int, size)
				n := min(len(dst), len(want))
				if q.Drain(dst) != n || !slices.Equal(dst[:n], want[:n]) {
					t.Fatalf("call %d: drained %v, want %v", at, dst, want[:n])
				}
				want, batch = want[n:], nil
			case 3:
				if size%8 == 7 {
					q.Close()
					closed = true
				}
				batch = nil
			}
			if closed {
				expect = 0
			}
			if got != expect {
				t.Fatalf("call %d (%d of %d items): accepted %d, want %d", at, b%4, size, got, expect)
			}
			want, next = append(want, batch[:got]...), next+got
			if q.Len() != len(want) || q.Ended() != (closed && len(want) == 0) || q.Closed() != closed {
				t.Fatalf("call %d: length %d, ended %v, closed %v; want %d items, closed %v",
					at, q.Len(), q.Ended(), q.Closed(), len(want), closed)
			}
		}
	})
}
