package option

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30
	tib = 1 << 40
)

// integer is the kind of an int from lo to hi, both included.
func integer(placeholder string, lo, hi int) Kind {
	allowed := fmt.Sprintf("a whole number from %d to %d", lo, hi)
	return NewKind(placeholder, allowed, func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < lo || n > hi {
			return 0, errWant
		}
		return n, nil
	}, strconv.Itoa)
}

// highWaterMark is the kind of a limit in messages per peer.
var highWaterMark = func() Kind {
	k := integer("MESSAGES", 0, math.MaxInt32)
	k.Allowed += "; 0 means no limit"
	return k
}()

// size is the kind of an int64 in bytes from lo to hi, both included.
func size(lo, hi int64) Kind {
	allowed := fmt.Sprintf("bytes from %s to %s, such as 65536, 64MiB or 10GiB", formatSize(lo), formatSize(hi))
	return NewKind("SIZE", allowed, func(text string) (int64, error) {
		n, ok := parseSize(text)
		if !ok || n < lo || n > hi {
			return 0, errWant
		}
		return n, nil
	}, formatSize)
}

// maxSocketBuffer is above what kernels allow, and fits an int on 32 bits.
const maxSocketBuffer = gib

// socketBuffer is the kind of an int in bytes that may be KernelDefault.
var socketBuffer = NewKind("SIZE", "bytes up to 1GiB, such as 65536 or 4MiB, or -1 for the kernel's default",
	func(text string) (int, error) {
		if text == "-1" {
			return KernelDefault, nil
		}
		n, ok := parseSize(text)
		if !ok || n < 1 || n > maxSocketBuffer {
			return 0, errWant
		}
		return int(n), nil
	},
	func(n int) string {
		if n == KernelDefault {
			return "-1"
		}
		return formatSize(int64(n))
	})

// sizeUnits are tried in this order: a unit must come before its own suffixes.
var sizeUnits = []struct {
	suffix string
	bytes  int64
}{
	{"TiB", tib}, {"GiB", gib}, {"MiB", mib}, {"KiB", kib},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"kB", 1e3}, {"B", 1},
}

// parseSize reads digits, optionally followed by a unit.
func parseSize(text string) (int64, bool) {
	unit := int64(1)
	for _, u := range sizeUnits {
		if digits, ok := strings.CutSuffix(text, u.suffix); ok {
			text, unit = strings.TrimSuffix(digits, " "), u.bytes
			break
		}
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || int64(n) > math.MaxInt64/unit {
		return 0, false
	}
	return int64(n) * unit, true
}

// formatSize uses the largest binary unit that divides n.
func formatSize(n int64) string {
	for _, u := range sizeUnits[:4] {
		if n >= u.bytes && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.suffix
		}
	}
	return strconv.FormatInt(n, 10)
}
