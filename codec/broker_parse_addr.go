package codec

import "math"

// appendParsedSubnet appends a subnet given as "10.0.0.0/8". Bits behind the
// prefix become zero, as in Broker. A length that the address does not have
// is refused, where Broker takes the text for ::/0.
func appendParsedSubnet(dst, s []byte) ([]byte, error) {
	slash := -1
	for i, c := range s {
		if c == '/' {
			slash = i
			break
		}
	}
	if slash < 0 {
		return dst, ErrSyntax
	}
	a, ok := parseAddr(s[:slash])
	length := numberStart(s[slash+1:])
	if !ok || len(length) == 0 || digitsEnd(length, 0) < len(length) {
		return dst, ErrSyntax
	}
	bits, limit := 0, 128
	if isMapped(a[:]) {
		limit = 32
	}
	for _, c := range length {
		if bits = bits*10 + int(c-'0'); bits > limit {
			return dst, ErrRange
		}
	}
	bits += 128 - limit
	for i := range a {
		switch keep := bits - 8*i; {
		case keep <= 0:
			a[i] = 0
		case keep < 8:
			a[i] &= 0xff << (8 - keep)
		}
	}
	return append(append(dst, a[:]...), byte(bits)), nil
}

// parseAddr reads an IPv4 or IPv6 address without zone; IPv4 comes out as
// ::ffff:a.b.c.d.
func parseAddr(s []byte) (a [16]byte, ok bool) {
	for _, c := range s {
		if c == ':' {
			return parseAddr6(s)
		}
		if c == '.' {
			break
		}
	}
	a[10], a[11] = 0xff, 0xff
	return a, parseAddr4(a[12:], s)
}

// parseAddr4 reads four decimal numbers into dst.
func parseAddr4(dst, s []byte) bool {
	for i := range 4 {
		end := digitsEnd(s, 0)
		n := 0
		for _, c := range s[:end] {
			if n = n*10 + int(c-'0'); n > math.MaxUint8 {
				return false
			}
		}
		if end == 0 || i < 3 && (end == len(s) || s[end] != '.') {
			return false
		}
		dst[i] = byte(n)
		if i < 3 {
			end++
		}
		s = s[end:]
	}
	return len(s) == 0
}

// parseAddr6 reads groups of up to four hexadecimal digits, of which :: may
// leave out some, to Broker even none, with the last two groups perhaps as an
// IPv4 address.
func parseAddr6(s []byte) (a [16]byte, ok bool) {
	gap, n := -1, 0 // where :: stands; bytes so far
	if len(s) >= 2 && s[0] == ':' && s[1] == ':' {
		gap, s = 0, s[2:]
	}
	for len(s) > 0 {
		digits, v := 0, 0
		for digits < len(s) && digits < 4 && hexValue(s[digits]) >= 0 {
			v = v<<4 | hexValue(s[digits])
			digits++
		}
		if digits < len(s) && s[digits] == '.' {
			if n > 12 || !parseAddr4(a[n:n+4], s) {
				return a, false
			}
			n, s = n+4, nil
			break
		}
		if digits == 0 || n > 14 {
			return a, false
		}
		a[n], a[n+1] = byte(v>>8), byte(v)
		n, s = n+2, s[digits:]
		if len(s) == 0 {
			break
		}
		if s[0] != ':' || len(s) == 1 {
			return a, false
		}
		if s = s[1:]; s[0] == ':' {
			if gap >= 0 {
				return a, false
			}
			gap, s = n, s[1:]
		}
	}
	if gap < 0 || gap == len(a) {
		return a, gap < 0 && n == len(a)
	}
	tail := n - gap
	copy(a[16-tail:], a[gap:n])
	clear(a[gap : 16-tail])
	return a, true
}
