package option

import (
	"strconv"
	"strings"
	"time"
)

// special says which of the bare values 0 and -1 a duration takes, and what
// they mean there. Empty ones are refused.
type special struct{ zero, forever string }

// maxDuration keeps sums of durations and of times far from overflow.
const maxDuration = 10 * 365 * 24 * time.Hour

// duration is the kind of a time.Duration of at least lo, or a special value.
func duration(lo time.Duration, s special) Kind {
	allowed := "a duration of at least " + formatDuration(lo) + ", such as 90s, 1h30m or 10 min"
	if s.zero != "" {
		allowed += ", or 0 (" + s.zero + ")"
	}
	if s.forever != "" {
		allowed += ", or -1 (" + s.forever + ")"
	}
	return NewKind("DURATION", allowed, func(text string) (time.Duration, error) {
		if text == "-1" && s.forever != "" {
			return Forever, nil
		}
		d, ok := parseDuration(text)
		if !ok || d > maxDuration || d == 0 && s.zero == "" || d != 0 && d < lo {
			return 0, errWant
		}
		return d, nil
	}, formatDuration)
}

// zeekUnits are the units of Zeek's interval constants, without plural s.
var zeekUnits = map[string]time.Duration{
	"usec": time.Microsecond, "msec": time.Millisecond, "sec": time.Second,
	"min": time.Minute, "hr": time.Hour, "day": 24 * time.Hour,
}

// parseDuration takes Go's form (1h30m), which includes a bare 0, and Zeek's
// (10 min, 1day, 2.5 hrs).
func parseDuration(text string) (time.Duration, bool) {
	if d, err := time.ParseDuration(text); err == nil {
		return d, true
	}
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz")
	unit, ok := zeekUnits[strings.TrimSuffix(text[len(digits):], "s")]
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseFloat(strings.TrimRight(digits, " "), 64)
	if err != nil || !(n >= 0 && n <= float64(maxDuration/unit)) {
		return 0, false
	}
	return time.Duration(n * float64(unit)), true
}

// formatDuration is Go's form without parts that are zero.
func formatDuration(d time.Duration) string {
	switch d {
	case 0:
		return "0"
	case Forever:
		return "-1"
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
