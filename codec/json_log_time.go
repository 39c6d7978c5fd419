package codec

import "math"

// time writes a time as the options say.
func (s *jsonStyle) time(buf []byte, n int, t float64) int {
	switch s.times {
	case TimestampMillis:
		return putInt(buf, n, truncInt64(t*1000))
	case TimestampMillisUnsigned:
		return putUint(buf, n, uint64(truncInt64(t*1000)))
	case TimestampISO8601:
		return putISO8601(buf, n, t)
	}
	return putJSONDouble(buf, n, t)
}

// truncInt64 converts toward zero. What does not fit becomes the smallest
// integer, as on x86, where Go leaves it open.
func truncInt64(d float64) int64 {
	if !(d >= -1<<63 && d < 1<<63) {
		return math.MinInt64
	}
	return int64(d)
}

// The times that C's gmtime can express: its year, less 1900, is an int.
const (
	minGMTime = -67768040609740800
	maxGMTime = 67768036191676799
)

// putISO8601 writes a time with its microseconds, in quotes. As in Zeek a
// fraction that rounds up to a second becomes ".1000000", years are written
// without padding, and a time that C cannot express has a fixed text.
func putISO8601(buf []byte, n int, t float64) int {
	sec := truncInt64(math.Floor(t))
	if sec < minGMTime || sec > maxGMTime {
		return n + copy(buf[n:], `"2000-01-01T00:00:00.000000"`)
	}
	_, frac := math.Modf(t)
	if frac < 0 {
		frac++
	}
	days := sec / 86400
	rest := sec % 86400
	if rest < 0 {
		rest += 86400
		days--
	}
	year, month, day := civil(days)
	buf[n] = '"'
	n = putInt(buf, n+1, int64(int32(year)))
	n = put2(buf, n, '-', month)
	n = put2(buf, n, '-', day)
	n = put2(buf, n, 'T', int(rest/3600))
	n = put2(buf, n, ':', int(rest/60%60))
	n = put2(buf, n, ':', int(rest%60))
	buf[n] = '.'
	micros := uint64(math.RoundToEven(frac * 1000000))
	if micros < 1e6 {
		// Seven digits, of which the dot overwrites the leading one.
		putUint(buf, n, micros+1e6)
		buf[n] = '.'
		n += 7
	} else {
		n = putUint(buf, n+1, micros)
	}
	buf[n], buf[n+1] = 'Z', '"'
	return n + 2
}

// put2 writes a separator and two digits.
func put2(buf []byte, n int, sep byte, v int) int {
	buf[n], buf[n+1], buf[n+2] = sep, byte('0'+v/10), byte('0'+v%10)
	return n + 3
}

// civil is the date of a day counted from 1970-01-01, in the Gregorian calendar
// extended in both directions. It counts years from March, so that the leap day
// is the last, and in eras of 400 years, which all have the same length.
func civil(days int64) (year int64, month, day int) {
	const era = 146097
	days += 719468 // from 0000-03-01
	e := days / era
	if days%era < 0 {
		e--
	}
	d := days - e*era                            // of the era
	y := (d - d/1460 + d/36524 - d/146096) / 365 // of the era
	d -= 365*y + y/4 - y/100                     // of the year
	m := (5*d + 2) / 153                         // from March
	year, month, day = e*400+y, int(m)+3, int(d-(153*m+2)/5)+1
	if month > 12 {
		year, month = year+1, month-12
	}
	return year, month, day
}
