package codec_test

import (
	"fmt"
	"math"
	"net/netip"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/znode/znode/codec"
)

// slowText is the oracle for the text of a batch: Zeek's rules, one after the
// other, on strings.
type slowText struct {
	o     codec.TextOptions
	inSet bool // the set separator is being escaped
}

// batch formats all records of a checked batch.
func (s *slowText) batch(b *codec.Batch) string {
	var out strings.Builder
	r := b.Records()
	for r.Next() {
		var cells []string
		for i := range b.Fields {
			v := r.Value(i)
			if s.o.Format == codec.FormatTSV {
				cells = append(cells, s.tsv(v))
			} else if v.Present || s.o.JSONIncludeUnsetFields {
				cells = append(cells, jsonKey(string(b.Fields[i].Name))+":"+s.json(v))
			}
		}
		if s.o.Format == codec.FormatJSON {
			out.WriteString("{" + strings.Join(cells, ",") + "}\n")
			continue
		}
		line := strings.Join(cells, s.o.Separator) + "\n"
		if strings.HasPrefix(line, s.o.MetaPrefix) {
			line = hexByte(line[0]) + line[1:]
		}
		out.WriteString(line)
		s.inSet = false
	}
	if r.Err() != nil {
		panic(r.Err())
	}
	return out.String()
}

func hexByte(c byte) string { return fmt.Sprintf("\\x%02x", c) }

// good reports whether a text may pass: all of it printable ASCII, the given
// controls, or characters that Zeek accepts.
func good(text, controls string) bool {
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			return false
		case r < ' ' && !strings.ContainsRune(controls, r):
			return false
		case r >= 0x7f && r <= 0x9f, r >= 0xe000 && r <= 0xf8ff, r >= 0xfff0 && r <= 0xffff:
			return false
		}
		text = text[size:]
	}
	return true
}

// judge passes a good text and otherwise escapes all that is not ASCII.
func judge(text, controls string) string {
	if good(text, controls) {
		return text
	}
	var out strings.Builder
	for i := range len(text) {
		if c := text[i]; c >= ' ' && c < 0x7f || strings.IndexByte(controls, c) >= 0 {
			out.WriteByte(c)
		} else {
			out.WriteString(hexByte(c))
		}
	}
	return out.String()
}

// escape is the TSV rule: cut at backslashes and seps, judge the pieces.
func escape(text string, utf8 bool, seps ...string) string {
	sort.Strings(seps)
	var out, piece strings.Builder
	flush := func() {
		if utf8 {
			out.WriteString(judge(piece.String(), ""))
		} else {
			out.WriteString(piece.String())
		}
		piece.Reset()
	}
next:
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\\' {
			flush()
			out.WriteString(`\\`)
			continue
		}
		if !utf8 && (c < ' ' || c >= 0x7f) {
			flush()
			out.WriteString(hexByte(c))
			continue
		}
		for _, sep := range seps {
			if strings.HasPrefix(text[i:], sep) {
				flush()
				for j := range len(sep) {
					if sep[j] == '\\' {
						out.WriteString(`\\`)
					} else {
						out.WriteString(hexByte(sep[j]))
					}
				}
				i += len(sep) - 1
				continue next
			}
		}
		piece.WriteByte(c)
	}
	flush()
	return out.String()
}

// add escapes what goes into a column.
func (s *slowText) add(text string) string {
	if s.inSet {
		return escape(text, s.o.EnableUTF8, s.o.Separator, s.o.SetSeparator)
	}
	return escape(text, s.o.EnableUTF8, s.o.Separator)
}

func (s *slowText) tsv(v codec.Value) string {
	if !v.Present {
		return s.add(s.o.UnsetField)
	}
	switch v.Type {
	case codec.TypeString, codec.TypeEnum, codec.TypeFile, codec.TypeFunc:
		text := string(v.Bytes())
		switch text {
		case "":
			return s.add(s.o.EmptyField)
		case s.o.UnsetField, s.o.EmptyField:
			return hexByte(text[0]) + s.add(text[1:])
		}
		return s.add(text)
	case codec.TypeTable, codec.TypeVector:
		if v.Len() == 0 {
			return s.add(s.o.EmptyField)
		}
		s.inSet = true
		var cells []string
		for e := v.Elements(); e.Next(); {
			cells = append(cells, s.tsv(e.Value()))
		}
		s.inSet = false
		return strings.Join(cells, s.o.SetSeparator)
	case codec.TypeBool:
		return s.add(map[bool]string{true: "T", false: "F"}[v.Bool()])
	case codec.TypeDouble, codec.TypeTime, codec.TypeInterval:
		return s.add(slowTSVDouble(v.Double(), v.Type))
	}
	return s.add(slowScalar(v))
}

// slowScalar is the text that both formats share.
func slowScalar(v codec.Value) string {
	switch v.Type {
	case codec.TypeInt:
		return strconv.FormatInt(v.Int(), 10)
	case codec.TypeCount:
		return strconv.FormatUint(v.Count(), 10)
	case codec.TypePort:
		return strconv.Itoa(int(v.Port().Num))
	case codec.TypeAddr:
		return slowAddr(v.Addr())
	case codec.TypeSubnet:
		p := v.Subnet()
		if !p.IsValid() {
			panic("the oracle knows valid subnets only")
		}
		return slowAddr(p.Addr()) + "/" + strconv.Itoa(p.Bits())
	}
	panic(v.Type)
}

// slowAddr differs from netip where an address holds an IPv4 one.
func slowAddr(a netip.Addr) string {
	if a.Is4() {
		return a.String()
	}
	b := a.As16()
	four := netip.AddrFrom4([4]byte(b[12:])).String()
	zeros, ffff := strings.Repeat("\x00", 12), "\xff\xff"
	switch head := string(b[:12]); {
	case head == zeros && (b[12] != 0 || b[13] != 0):
		return "::" + four
	case head == zeros[:10]+ffff:
		return "::ffff:" + four
	case head == zeros[:8]+ffff+zeros[:2]:
		return "::ffff:0:" + four
	}
	return a.String()
}

// jsonQuote escapes a text that is already good.
func jsonQuote(text string) string { return `"` + jsonEscapes.Replace(text) + `"` }

var jsonEscapes = strings.NewReplacer(`"`, `\"`, `\`, `\\`, "\b", `\b`, "\f", `\f`, "\n", `\n`, "\r", `\r`, "\t", `\t`)

const jsonControls = "\b\f\n\r\t"

func jsonKey(name string) string {
	if !utf8.ValidString(name) {
		return jsonQuote(judge(name, jsonControls))
	}
	text := jsonQuote(name)
	for c := range rune(' ') {
		if !strings.ContainsRune(jsonControls, c) {
			text = strings.ReplaceAll(text, string(c), fmt.Sprintf(`\u%04X`, c))
		}
	}
	return text
}

func (s *slowText) json(v codec.Value) string {
	if !v.Present {
		return "null"
	}
	switch v.Type {
	case codec.TypeString:
		return s.jsonString(string(v.Bytes()))
	case codec.TypeEnum, codec.TypeFile, codec.TypeFunc:
		return jsonQuote(judge(string(v.Bytes()), jsonControls))
	case codec.TypeTable, codec.TypeVector:
		var cells []string
		for e := v.Elements(); e.Next(); {
			cells = append(cells, s.json(e.Value()))
		}
		return "[" + strings.Join(cells, ",") + "]"
	case codec.TypeBool:
		return strconv.FormatBool(v.Bool())
	case codec.TypeDouble, codec.TypeInterval:
		return slowJSONDouble(v.Double())
	case codec.TypeTime:
		return s.jsonTime(v.Double())
	case codec.TypeAddr, codec.TypeSubnet:
		return `"` + slowScalar(v) + `"`
	}
	return slowScalar(v)
}

func (s *slowText) jsonString(text string) string {
	switch s.o.JSONStringEscapePolicy {
	case codec.EscapeTSV:
		return jsonQuote(escape(text, true))
	case codec.EscapeHex:
		return jsonQuote(judge(text, jsonControls))
	}
	var out strings.Builder
	for len(text) > 0 {
		_, size := utf8.DecodeRuneInString(text)
		if good(text[:size], jsonControls) {
			quoted := jsonQuote(text[:size])
			out.WriteString(quoted[1 : len(quoted)-1])
		} else {
			size = 1
			fmt.Fprintf(&out, `\udb80\udc%02x`, text[0])
		}
		text = text[size:]
	}
	return `"` + out.String() + `"`
}

func (s *slowText) jsonTime(t float64) string {
	millis := int64(math.MinInt64)
	if m := t * 1000; m >= -1<<63 && m < 1<<63 {
		millis = int64(m)
	}
	switch s.o.JSONTimestamps {
	case codec.TimestampMillis:
		return strconv.FormatInt(millis, 10)
	case codec.TimestampMillisUnsigned:
		return strconv.FormatUint(uint64(millis), 10)
	case codec.TimestampISO8601:
		return slowISO8601(t)
	}
	return slowJSONDouble(t)
}

// slowISO8601 leaves the calendar to package time, whose years go as far.
func slowISO8601(t float64) string {
	if !(t >= -67768040609740800 && t < 67768036191676800) {
		return `"2000-01-01T00:00:00.000000"`
	}
	sec, frac := math.Floor(t), t-math.Trunc(t)
	if frac < 0 {
		frac++
	}
	u := time.Unix(int64(sec), 0).UTC()
	return fmt.Sprintf(`"%d-%02d-%02dT%02d:%02d:%02d.%06.0fZ"`,
		int32(u.Year()), u.Month(), u.Day(), u.Hour(), u.Minute(), u.Second(), frac*1e6)
}
