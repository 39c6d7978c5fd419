package codec

import (
	"encoding/binary"
	"fmt"
	"testing"
)

// TestWideDefectAllocates: a batch whose first record is bad in its last of many
// columns allocates nothing once its like was seen.
func TestWideDefectAllocates(t *testing.T) {
	const columns = 60
	u32 := binary.BigEndian.AppendUint32
	text := func(b []byte, s string) []byte { return append(u32(b, uint32(len(s))), s...) }
	var b []byte
	for _, s := range []string{"Wide::LOG", DefaultWriter, DefaultFilter, "wide"} {
		b = text(b, s)
	}
	b = u32(b, columns)
	for i := range columns {
		b = text(append(b, 0), fmt.Sprint("c", i))
		b = append(u32(u32(b, uint32(TypeInt)), 0), 0)
	}
	b = u32(b, 1)
	for i := range columns {
		typ := TypeInt
		if i == columns-1 {
			typ = TypeType
		}
		b = append(u32(u32(b, uint32(typ)), 0), 1)
		b = binary.BigEndian.AppendUint64(b, 7)
	}
	var batch Batch
	if err := batch.Decode(b); err == nil {
		t.Fatal("the batch was taken")
	}
	if n := testing.AllocsPerRun(100, func() { _ = batch.Decode(b) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
