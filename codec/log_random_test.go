package codec_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"

	"github.com/znode/znode/codec"
)

// batchMaker makes random batches byte by byte, with what a hostile peer may
// put into valid ones: tags that differ from the column's, odd subtypes and
// flags, nested containers, strings and doubles of all kinds.
type batchMaker struct {
	rng *rand.Rand
	p   []byte
	// tame leaves out what BatchWriter cannot say: among others the type of an
	// unset value where any type could stand.
	tame bool
}

// hostilePieces are what random strings are made of.
var hostilePieces = []string{
	"-", "(empty)", "#", "\t", ",", "\\", "\\x41", "\"", "\n", "\r\n", "\b\f", "\x00", "\x01", "\x1f", "\x7f", "plain", "a", "é", "ü,",
	"€", "日本", "\u0085", "\u00a0", "\ue000", "\uf8ff", "\ufff0", "\ufffd", "\ufeff", "\U0001F600", "\U000F0001", "\U0010FFFF",
	"\x80", "\xc3", "\xc0\x80", "\xe2\x82", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "\xf0\x9f", " ", "/", "0", "x=1;", "\x1b[0m",
}

func (m *batchMaker) text() []byte {
	var s []byte
	switch m.rng.IntN(4) {
	case 0:
		for range m.rng.IntN(40) {
			s = append(s, byte(' '+m.rng.IntN(95)))
		}
	case 1:
		for range m.rng.IntN(12) {
			s = append(s, byte(m.rng.Uint32()))
		}
	default:
		for range m.rng.IntN(7) {
			s = append(s, hostilePieces[m.rng.IntN(len(hostilePieces))]...)
		}
	}
	return s
}

func (m *batchMaker) u32(n uint32) { m.p = binary.BigEndian.AppendUint32(m.p, n) }
func (m *batchMaker) u64(n uint64) { m.p = binary.BigEndian.AppendUint64(m.p, n) }

func (m *batchMaker) str(s []byte) {
	m.u32(uint32(len(s)))
	m.p = append(m.p, s...)
}

var makerTypes = []codec.Type{
	codec.TypeBool, codec.TypeInt, codec.TypeCount, codec.TypeDouble, codec.TypeTime, codec.TypeInterval, codec.TypeString,
	codec.TypeEnum, codec.TypePort, codec.TypeAddr, codec.TypeSubnet, codec.TypeFunc, codec.TypeFile, codec.TypeTable, codec.TypeVector,
}

func (m *batchMaker) typ() codec.Type { return makerTypes[m.rng.IntN(len(makerTypes))] }

func (m *batchMaker) scalar() codec.Type { return makerTypes[m.rng.IntN(len(makerTypes)-2)] }

// batch makes a batch with up to fields columns and records records.
func (m *batchMaker) batch(fields, records int) []byte {
	m.p = nil
	for _, s := range []string{"Test::LOG", "Log::WRITER_ASCII", "default", "test"} {
		m.str([]byte(s))
	}
	types := make([][2]codec.Type, 1+m.rng.IntN(fields))
	m.u32(uint32(len(types)))
	for i := range types {
		types[i] = [2]codec.Type{m.typ(), 0}
		if types[i][0].IsContainer() {
			types[i][1] = m.typ()
		}
		if m.rng.IntN(4) == 0 {
			m.p = append(m.p, 1)
			m.str(m.text())
		} else {
			m.p = append(m.p, 0)
		}
		name := m.text()
		if m.rng.IntN(4) > 0 {
			name = []byte("id.orig_h_and_a_long_tail_of_letters"[:1+m.rng.IntN(36)])
		}
		m.str(name)
		m.u32(uint32(types[i][0]))
		m.u32(uint32(types[i][1]))
		m.p = append(m.p, byte(m.rng.IntN(2)))
	}
	n := m.rng.IntN(records + 1)
	m.u32(uint32(n))
	for range n {
		for _, t := range types {
			m.value(t[0], t[1], 0)
		}
	}
	return m.p
}

// value makes a value for a place that wants type t.
func (m *batchMaker) value(t, elem codec.Type, depth int) {
	subtype, present := uint32(0), byte(1)
	if !m.tame && m.rng.IntN(12) == 0 {
		t, subtype = m.typ(), uint32(m.rng.IntN(30))
	}
	if m.rng.IntN(6) == 0 && !(m.tame && depth > 1) {
		present = 0
		if !m.tame && m.rng.IntN(2) == 0 {
			present, t = byte(2+m.rng.IntN(254)), codec.Type(m.rng.Uint32())
		}
	}
	m.u32(uint32(t))
	m.u32(subtype)
	m.p = append(m.p, present)
	if present == 1 {
		m.data(t, elem, depth)
	}
}

func (m *batchMaker) data(t, elem codec.Type, depth int) {
	switch t {
	case codec.TypeBool:
		m.u64(uint64(m.rng.IntN(2)))
	case codec.TypeInt, codec.TypeCount:
		m.u64(m.rng.Uint64() >> m.rng.IntN(64))
	case codec.TypeDouble, codec.TypeTime, codec.TypeInterval:
		m.u64(math.Float64bits(randomDouble(m.rng)))
	case codec.TypePort:
		m.u64(uint64(m.rng.IntN(65536) >> m.rng.IntN(16)))
		m.u32(uint32(m.rng.IntN(4)))
	case codec.TypeAddr:
		m.addr(4 + 2*byte(m.rng.IntN(2)))
	case codec.TypeSubnet:
		if m.rng.IntN(2) == 0 {
			m.p = append(m.p, byte(96+m.rng.IntN(33)))
			m.addr(4)
		} else {
			m.p = append(m.p, byte(m.rng.IntN(129)))
			m.addr(6)
		}
	case codec.TypeTable, codec.TypeVector:
		n := m.rng.IntN(4)
		if depth > 3 {
			n = 0
		}
		m.u64(uint64(n))
		if elem == 0 {
			elem = m.scalar()
		}
		for range n {
			if depth > 0 {
				elem = m.typ()
			}
			m.value(elem, m.scalar(), depth+1)
		}
	default:
		m.str(m.text())
	}
}

// addr makes an address, often one with runs of zeros.
func (m *batchMaker) addr(family byte) {
	m.p = append(m.p, family)
	n := 4
	if family == 6 {
		n = 16
	}
	for i := range n {
		b := byte(m.rng.Uint32())
		if m.rng.IntN(2) == 0 {
			b = 0
		}
		if m.tame && family == 6 && i == 0 {
			b = 0x20 // does not map an IPv4 address
		}
		m.p = append(m.p, b)
	}
	if family == 6 && !m.tame && m.rng.IntN(3) == 0 {
		a := m.p[len(m.p)-16:]
		copy(a, "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff"[m.rng.IntN(3):])
	}
}
