package codec

import (
	"encoding/binary"
	"math"
)

// appendParsed appends the data of an address, subnet, port, timestamp or
// timespan, given as Broker's text.
func appendParsed(dst []byte, k Kind, s []byte) ([]byte, error) {
	switch k {
	case KindAddress:
		a, ok := parseAddr(s)
		if !ok {
			return dst, ErrSyntax
		}
		return append(dst, a[:]...), nil
	case KindSubnet:
		return appendParsedSubnet(dst, s)
	case KindPort:
		p, reason := parsePort(s)
		dst = binary.BigEndian.AppendUint16(dst, p.Num)
		return append(dst, byte(p.Proto)), reason
	case KindTimestamp:
		ns, reason := parseBrokerTime(s)
		return binary.BigEndian.AppendUint64(dst, uint64(ns)), reason
	default:
		ns, reason := parseTimespan(s)
		return binary.BigEndian.AppendUint64(dst, uint64(ns)), reason
	}
}

func appendFloat(dst []byte, f float64) []byte {
	return binary.BigEndian.AppendUint64(dst, realBits(f))
}

// parseJSONInt reads an integer: decimal, or 0x, 0b, or octal behind a leading
// 0, which Broker takes too. It reports ErrRange beyond 64 bits.
func parseJSONInt(w []byte) (neg bool, n uint64, reason error) {
	if len(w) > 0 && (w[0] == '-' || w[0] == '+') {
		neg = w[0] == '-'
		w = w[1:]
	}
	base := uint64(10)
	if len(w) > 1 && w[0] == '0' {
		switch w[1] | 0x20 {
		case 'x':
			base, w = 16, w[2:]
		case 'b':
			base, w = 2, w[2:]
		default:
			base, w = 8, w[1:]
		}
	}
	if len(w) == 0 {
		return neg, 0, ErrMismatch
	}
	for _, c := range w {
		d := hexValue(c)
		if d < 0 || uint64(d) >= base {
			return neg, 0, ErrMismatch
		}
		if reason != nil {
			continue
		}
		if n > math.MaxUint64/base || n*base > math.MaxUint64-uint64(d) {
			reason = ErrRange
			continue
		}
		n = n*base + uint64(d)
	}
	return neg, n, reason
}

// isDecimal reports whether w is a decimal number with a fraction or an
// exponent. A digit may be missing on one side of the point.
func isDecimal(w []byte) bool {
	n := decimalEnd(w)
	return n == len(w) && n > 0 && !allDigits(w)
}

func allDigits(w []byte) bool {
	for i, c := range w {
		if (c < '0' || c > '9') && (i > 0 || c != '-' && c != '+') {
			return false
		}
	}
	return true
}

// decimalEnd returns how much of w is a decimal number, 0 if none.
func decimalEnd(w []byte) int {
	i := 0
	if i < len(w) && (w[i] == '-' || w[i] == '+') {
		i++
	}
	digits := i
	i = digitsEnd(w, i)
	digits = i - digits
	if i < len(w) && w[i] == '.' {
		j := digitsEnd(w, i+1)
		digits += j - i - 1
		i = j
	}
	if digits == 0 {
		return 0
	}
	if i < len(w) && w[i]|0x20 == 'e' {
		j := i + 1
		if j < len(w) && (w[j] == '-' || w[j] == '+') {
			j++
		}
		if k := digitsEnd(w, j); k > j {
			i = k
		}
	}
	return i
}

func digitsEnd(w []byte, i int) int {
	for i < len(w) && w[i] >= '0' && w[i] <= '9' {
		i++
	}
	return i
}

func isNonFinite(w []byte) bool {
	switch string(w) {
	case "nan", "-nan", "inf", "-inf", "+inf":
		return true
	}
	return false
}

// parseJSONReal reads a real. A number without fraction and exponent is an
// integer to Broker, hence no real.
func parseJSONReal(w []byte) (float64, error) {
	switch {
	case !isNonFinite(w):
		if !isDecimal(w) {
			return 0, ErrMismatch
		}
		return parseDecimal(w), nil
	case w[len(w)-1] == 'n':
		return math.NaN(), nil
	case w[0] == '-':
		return math.Inf(-1), nil
	default:
		return math.Inf(1), nil
	}
}

// numberStart passes over what C's strtoul takes in front of a number: white
// space and a plus.
func numberStart(s []byte) []byte {
	for len(s) > 0 && (s[0] == ' ' || s[0] >= '\t' && s[0] <= '\r') {
		s = s[1:]
	}
	if len(s) > 0 && s[0] == '+' {
		s = s[1:]
	}
	return s
}

// parsePort reads "80/tcp". Without a protocol it is tcp; one that Zeek does
// not know is unknown, which is written "80/?".
func parsePort(s []byte) (p Port, reason error) {
	s = numberStart(s)
	end := digitsEnd(s, 0)
	num, n := 0, 0
	for _, c := range s[:end] {
		if num = num*10 + int(c-'0'); num > math.MaxUint16 {
			return Port{}, ErrRange
		}
		n++
	}
	if n == 0 || end < len(s) && s[end] != '/' {
		return Port{}, ErrSyntax
	}
	p = Port{Num: uint16(num), Proto: ProtoTCP}
	if end < len(s) {
		switch string(s[end+1:]) {
		case "tcp":
		case "udp":
			p.Proto = ProtoUDP
		case "icmp":
			p.Proto = ProtoICMP
		default:
			p.Proto = ProtoUnknown
		}
	}
	return p, nil
}
