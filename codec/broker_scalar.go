package codec

import (
	"encoding/binary"
	"net/netip"
	"strconv"
)

// appendBrokerScalar appends the text of an address, subnet or port, as
// Broker's convert writes it. b starts at the tag.
func appendBrokerScalar(dst, b []byte) []byte {
	switch Kind(b[0]) {
	case KindAddress:
		return appendBrokerAddr(dst, b[1:17])
	case KindSubnet:
		bits := b[17]
		if isMapped(b[1:]) {
			bits -= v4Prefix
		}
		dst = append(appendBrokerAddr(dst, b[1:17]), '/')
		return strconv.AppendUint(dst, uint64(bits), 10)
	default:
		dst = strconv.AppendUint(dst, uint64(binary.BigEndian.Uint16(b[1:])), 10)
		switch Proto(b[3]) {
		case ProtoTCP:
			return append(dst, "/tcp"...)
		case ProtoUDP:
			return append(dst, "/udp"...)
		case ProtoICMP:
			return append(dst, "/icmp"...)
		default:
			return append(dst, "/?"...)
		}
	}
}

func appendBrokerAddr(dst, a []byte) []byte {
	if isMapped(a) {
		var tmp [24]byte
		return append(dst, tmp[:putAddr4(tmp[:], 0, binary.BigEndian.Uint32(a[12:]))]...)
	}
	return netip.AddrFrom16([16]byte(a)).AppendTo(dst)
}

// appendBrokerTime appends a timestamp in UTC with three digits behind the
// second. Seconds are cut toward zero; before 1970 Broker prints milliseconds
// as 000.
func appendBrokerTime(dst []byte, ns int64) []byte {
	sec, ms := ns/1e9, ns/1e6%1000
	day := sec / 86400
	sec -= day * 86400
	if sec < 0 {
		day, sec = day-1, sec+86400
	}
	y, m, d := civilDate(day)
	dst = appendDigits(dst, y, 4)
	dst = appendDigits(append(dst, '-'), m, 2)
	dst = appendDigits(append(dst, '-'), d, 2)
	dst = appendDigits(append(dst, 'T'), int(sec/3600), 2)
	dst = appendDigits(append(dst, ':'), int(sec/60%60), 2)
	dst = appendDigits(append(dst, ':'), int(sec%60), 2)
	return appendDigits(append(dst, '.'), int(max(ms, 0)), 3)
}

// appendDigits appends the last width decimal digits of n, which is at least 0.
func appendDigits(dst []byte, n, width int) []byte {
	var tmp [4]byte
	for i := width - 1; i >= 0; i-- {
		tmp[i] = byte('0' + n%10)
		n /= 10
	}
	return append(dst, tmp[:width]...)
}

// civilDate is the date of a day counted from 1970-01-01. It holds for the
// years that nanoseconds in 64 bits reach, 1677 to 2262. Years are counted
// from March here, so that the leap day is the last of its year. After
// H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
func civilDate(day int64) (y, m, d int) {
	const (
		daysIn400Years = 146097
		toMarch0000    = 719468 // days from 0000-03-01 to 1970-01-01
	)
	day += toMarch0000
	era := int(day / daysIn400Years)
	doe := int(day % daysIn400Years)                       // day of the 400 years
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365 // year of them
	doy := doe - (365*yoe + yoe/4 - yoe/100)               // day of the year
	mp := (5*doy + 2) / 153                                // month, 0 is March
	d = doy - (153*mp+2)/5 + 1
	m = mp + 3
	if m > 12 {
		m -= 12
	}
	y = era*400 + yoe
	if m <= 2 {
		y++
	}
	return y, m, d
}

// dayOfDate is the inverse of civilDate.
func dayOfDate(y, m, d int) int64 {
	if m <= 2 {
		y, m = y-1, m+12
	}
	era, yoe := y/400, y%400
	doy := (153*(m-3)+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return int64(era)*146097 + int64(doe) - 719468
}

// timespanUnits are those that Broker writes, the smallest first.
var timespanUnits = [...]struct {
	ns   int64
	name string
}{{1, "ns"}, {1e3, "us"}, {1e6, "ms"}, {1e9, "s"}}

// appendBrokerTimespan appends a timespan in the largest unit that holds it
// exactly.
func appendBrokerTimespan(dst []byte, ns int64) []byte {
	u := 0
	if ns == 0 {
		u = len(timespanUnits) - 1
	} else {
		for u+1 < len(timespanUnits) && ns%timespanUnits[u+1].ns == 0 {
			u++
		}
	}
	dst = strconv.AppendInt(dst, ns/timespanUnits[u].ns, 10)
	return append(dst, timespanUnits[u].name...)
}
