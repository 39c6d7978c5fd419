package pump

import (
	"encoding/binary"
	"errors"
)

var errFrame = errors.New("pump: a publisher sent a frame that is too large")

// cut returns how many bytes of b are whole messages. from is where to begin:
// a boundary between messages.
func cut(b []byte, from int) (int, error) {
	whole := from
	for at := from; len(b)-at >= 2; {
		flags, header, size := b[at], 2, int(b[at+1])
		if flags&2 != 0 {
			if len(b)-at < 9 {
				break
			}
			n := binary.BigEndian.Uint64(b[at+1:])
			if n > 1<<30 {
				return 0, errFrame
			}
			header, size = 9, int(n)
		}
		if len(b)-at-header < size {
			break
		}
		at += header + size
		if flags&1 == 0 {
			whole = at
		}
	}
	return whole, nil
}
