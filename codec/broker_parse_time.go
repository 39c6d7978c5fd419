package codec

import "math"

// timeReader reads the fixed parts of a timestamp.
type timeReader struct {
	s  []byte
	ok bool
}

func (r *timeReader) digits(n int) int {
	if !r.ok || len(r.s) < n || digitsEnd(r.s[:n], 0) < n {
		r.ok = false
		return 0
	}
	v := 0
	for _, c := range r.s[:n] {
		v = v*10 + int(c-'0')
	}
	r.s = r.s[n:]
	return v
}

func (r *timeReader) byte(c byte) {
	if !r.ok || len(r.s) == 0 || r.s[0] != c {
		r.ok = false
		return
	}
	r.s = r.s[1:]
}

// parseBrokerTime reads a timestamp such as 2020-09-01T15:58:42.372: up to
// nine digits behind the point, then nothing or Z for UTC or an offset as
// +02, +0200 or +02:00. It returns nanoseconds since 1970.
func parseBrokerTime(s []byte) (ns int64, reason error) {
	r := timeReader{s, true}
	y := r.digits(4)
	r.byte('-')
	m := r.digits(2)
	r.byte('-')
	d := r.digits(2)
	r.byte('T')
	hour := r.digits(2)
	r.byte(':')
	minute := r.digits(2)
	r.byte(':')
	second := r.digits(2)
	frac := r.fraction()
	offset := r.offset()
	if !r.ok || len(r.s) > 0 {
		return 0, ErrSyntax
	}
	if m < 1 || m > 12 || d < 1 || d > daysIn(y, m) || hour > 23 || minute > 59 || second > 59 {
		return 0, ErrRange
	}
	if y < 1677 || y > 2262 { // what 64 bits of nanoseconds reach
		return 0, ErrRange
	}
	secs := dayOfDate(y, m, d)*86400 + int64(hour*3600+minute*60+second-offset)
	// Before 1970 the sum of both parts may fit where the first alone does not.
	if secs < 0 && frac > 0 {
		secs, frac = secs+1, frac-1e9
	}
	const nsIn = int64(1e9)
	if secs > math.MaxInt64/nsIn || secs < math.MinInt64/nsIn {
		return 0, ErrRange
	}
	ns = secs*nsIn + frac
	if secs > 0 && ns < 0 || secs < 0 && ns > 0 {
		return 0, ErrRange
	}
	return ns, nil
}

// fraction reads a point and up to nine digits, if there.
func (r *timeReader) fraction() (ns int64) {
	if !r.ok || len(r.s) == 0 || r.s[0] != '.' {
		return 0
	}
	n := digitsEnd(r.s, 1)
	if n > 10 || n == 1 && n < len(r.s) {
		r.ok = false
		return 0
	}
	scale := int64(1e9)
	for _, c := range r.s[1:n] {
		scale /= 10
		ns += int64(c-'0') * scale
	}
	r.s = r.s[n:]
	return ns
}

// offset reads the offset from UTC, in seconds.
func (r *timeReader) offset() int {
	if !r.ok || len(r.s) == 0 {
		return 0
	}
	sign := r.s[0]
	if r.s = r.s[1:]; sign == 'Z' {
		return 0
	}
	if sign != '+' && sign != '-' {
		r.ok = false
		return 0
	}
	secs := r.digits(2) * 3600
	if len(r.s) > 0 && r.s[0] == ':' {
		r.s = r.s[1:]
		secs += r.digits(2) * 60
	} else if len(r.s) > 0 {
		secs += r.digits(2) * 60
	}
	if sign == '-' {
		return -secs
	}
	return secs
}

func daysIn(y, m int) int {
	switch m {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	default:
		return 31
	}
}

// parseTimespan reads a number and a unit: ns, us, ms, s, min or h. A number
// with a fraction or exponent is multiplied in floating point and cut toward
// zero, as Broker does with all of them; an integer is taken exactly.
func parseTimespan(s []byte) (ns int64, reason error) {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	end := decimalEnd(s)
	if end == 0 {
		return 0, ErrSyntax
	}
	num := s[:end]
	var unit int64
	switch string(s[end:]) {
	case "ns":
		unit = 1
	case "us":
		unit = 1e3
	case "ms":
		unit = 1e6
	case "s":
		unit = 1e9
	case "min":
		unit = 60e9
	case "h":
		unit = 3600e9
	default:
		return 0, ErrSyntax
	}
	if !allDigits(num) {
		f := parseDecimal(num) * float64(unit)
		if !(f > -1<<63 && f < 1<<63) {
			return 0, ErrRange
		}
		return int64(f), nil
	}
	return scaledInt(num, unit)
}

// scaledInt reads a decimal integer and multiplies it.
func scaledInt(num []byte, unit int64) (int64, error) {
	neg := num[0] == '-'
	if num[0] == '-' || num[0] == '+' {
		num = num[1:]
	}
	limit := uint64(math.MaxInt64)
	if neg {
		limit++
	}
	limit /= uint64(unit)
	var n uint64
	for _, c := range num {
		d := uint64(c - '0')
		if d > limit || n > (limit-d)/10 {
			return 0, ErrRange
		}
		n = n*10 + d
	}
	n *= uint64(unit)
	if neg {
		n = -n
	}
	return int64(n), nil
}
