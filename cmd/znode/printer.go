package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/znode/znode/cmd/znode/internal/option"
	"github.com/znode/znode/codec"
)

// Forms in which znode sub and znode decode print.
const (
	formJSON   = "json"   // one object a line
	formPretty = "pretty" // for people
	formRaw    = "raw"    // the four frames of a message, each behind its length
)

// message is an event or a batch of log writes with what is known of its way.
// Slices are the caller's.
type message struct {
	at         time.Time // of its arrival; zero when unknown
	topic      []byte    // nil when unknown, and so on
	sender     []byte
	serializer []byte
	payload    []byte
}

// printer prints messages. Its methods may be called by several goroutines; what
// one call of print writes stays together.
type printer struct {
	w    io.Writer
	form string

	mu sync.Mutex
	// left is how many events, records and lines may still be printed; negative
	// for any number. A raw message counts as one.
	left  int64
	buf   []byte
	lines []byte // records as the codec formats them
	bin   []byte // an event that came as JSON
	conv  codec.Converter
	event codec.EventView
	batch codec.Batch
	json  *codec.Formatter
	tsv   *codec.Formatter
}

func newPrinter(w io.Writer, form string) *printer {
	p := &printer{w: w, form: form, left: -1}
	o := codec.DefaultTextOptions()
	o.IncludeMeta = false
	// Zeek's own defaults cannot be invalid.
	p.tsv, _ = codec.NewFormatter(o)
	o.Format = codec.FormatJSON
	p.json, _ = codec.NewFormatter(o)
	return p
}

// errEnough is returned when nothing more is to be printed.
var errEnough = errors.New("all that was asked for is printed")

// maxPending is how much is put together before it is written.
const maxPending = 64 << 10

// print prints messages and calls bad with each that cannot be read. Its error is
// that of writing, or errEnough.
func (p *printer) print(messages func(yield func(message) bool), bad func(message, error)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var failed error
	messages(func(m message) bool {
		if err := p.append(m); err != nil {
			bad(m, err)
		}
		if len(p.buf) >= maxPending {
			failed = p.flush()
		}
		return failed == nil
	})
	if failed == nil {
		failed = p.flush()
	}
	if failed == nil && p.left == 0 {
		failed = errEnough
	}
	return failed
}

// count takes one of those that may still be printed; false when there is none.
func (p *printer) count() bool {
	if p.left > 0 {
		p.left--
		return true
	}
	return p.left < 0
}

// line prints a line of another kind, in the form of the printer.
func (p *printer) line(json, pretty func(dst []byte) []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count() {
		if p.form == formJSON {
			p.buf = append(json(p.buf), '\n')
		} else {
			p.buf = append(pretty(p.buf), '\n')
		}
	}
	if err := p.flush(); err != nil || p.left != 0 {
		return err
	}
	return errEnough
}

func (p *printer) flush() error {
	if len(p.buf) == 0 {
		return nil
	}
	_, err := p.w.Write(p.buf)
	p.buf = p.buf[:0]
	return err
}

// append appends one message to what will be written. What cannot be read leaves
// nothing there.
func (p *printer) append(m message) error {
	if p.form == formRaw {
		if !p.count() {
			return nil
		}
		for _, frame := range [][]byte{m.topic, m.sender, m.serializer, m.payload} {
			p.buf = binary.BigEndian.AppendUint32(p.buf, uint32(len(frame)))
			p.buf = append(p.buf, frame...)
		}
		return nil
	}
	switch {
	case len(m.payload) == 0:
		return fmt.Errorf("nothing in it")
	case m.serializer == nil && isJSON(m.payload):
		var err error
		var topic []byte
		var has bool
		if p.bin, topic, has, err = p.conv.AppendBinMessage(p.bin[:0], m.payload); err != nil {
			return err
		}
		if m.payload = p.bin; has {
			m.topic = topic
		}
		return p.appendEvent(m)
	case string(m.serializer) == codec.BrokerJSONV1:
		var err error
		if p.bin, err = p.conv.AppendBin(p.bin[:0], m.payload); err != nil {
			return err
		}
		m.payload = p.bin
		return p.appendEvent(m)
	case string(m.serializer) == codec.BrokerBinV1, m.serializer == nil && m.payload[0] == byte(codec.KindVector):
		return p.appendEvent(m)
	case string(m.serializer) == logSerializer, m.serializer == nil:
		return p.appendLogs(m)
	}
	return fmt.Errorf("unknown serializer %s", quoteBytes(m.serializer))
}

// isJSON tells by the first byte, which no binary form begins with.
func isJSON(payload []byte) bool {
	return bytes.IndexByte([]byte("{[ \t\r\n"), payload[0]) >= 0
}

const timeForm = "2006-01-02T15:04:05.000000Z07:00"

func (p *printer) appendEvent(m message) error {
	if err := p.event.Decode(m.payload); err != nil {
		return err
	}
	if !p.count() {
		return nil
	}
	if p.form == formPretty {
		p.buf = appendPrettyHead(p.buf, m)
		p.buf = append(p.event.AppendText(p.buf), '\n')
		return nil
	}
	p.buf = append(p.buf, '{')
	p.buf = appendHead(p.buf, m)
	p.buf = appendMember(p.buf, "event", p.event.Name())
	if at, ok := p.event.Timestamp(); ok {
		p.buf = appendMember(p.buf, "network_time", at.AppendFormat(nil, time.RFC3339Nano))
	}
	p.buf = append(appendKey(p.buf, "args"), '[')
	first := true
	for arg := range p.event.Args() {
		if !first {
			p.buf = append(p.buf, ',')
		}
		first = false
		p.buf = arg.AppendJSON(p.buf)
	}
	p.buf = append(p.buf, "]}\n"...)
	return nil
}

func (p *printer) appendLogs(m message) error {
	if err := p.batch.DecodeHeader(m.payload); err != nil {
		return err
	}
	format := p.json
	if p.form == formPretty {
		format = p.tsv
	}
	var err error
	if p.lines, err = format.AppendRecords(p.lines[:0], &p.batch); err != nil {
		return err
	}
	m.topic = nil // which is always the same, and which no logger reads
	if p.form == formPretty && p.left != 0 {
		p.buf = appendPrettyHead(p.buf, m)
		p.buf = fmt.Appendf(p.buf, "log %s of %s, records: %d\n",
			quoteName(p.batch.Path), quoteName(p.batch.Stream), p.batch.NumRecords)
	}
	for line := range bytes.Lines(p.lines) {
		if !p.count() {
			return nil
		}
		p.appendRecord(m, bytes.TrimSuffix(line, []byte("\n")))
	}
	return nil
}

// appendRecord appends a record that is formatted already.
func (p *printer) appendRecord(m message, line []byte) {
	if p.form == formPretty {
		p.buf = append(p.buf, ' ')
		i := 0
		for value := range bytes.SplitSeq(line, []byte("\t")) {
			if i < len(p.batch.Fields) && string(value) != "-" {
				p.buf = append(append(p.buf, ' '), quoteName(p.batch.Fields[i].Name)...)
				p.buf = append(append(p.buf, '='), value...)
			}
			i++
		}
		p.buf = append(p.buf, '\n')
		return
	}
	p.buf = append(p.buf, '{')
	p.buf = appendHead(p.buf, m)
	p.buf = appendMember(p.buf, "stream", p.batch.Stream)
	p.buf = appendMember(p.buf, "path", p.batch.Path)
	if string(p.batch.Writer) != codec.DefaultWriter {
		p.buf = appendMember(p.buf, "writer", p.batch.Writer)
	}
	if string(p.batch.Filter) != codec.DefaultFilter {
		p.buf = appendMember(p.buf, "filter", p.batch.Filter)
	}
	p.buf = append(append(appendKey(p.buf, "record"), line...), "}\n"...)
}

// appendHead appends what is known of a message's way.
func appendHead(dst []byte, m message) []byte {
	if !m.at.IsZero() {
		dst = appendMember(dst, "time", m.at.UTC().AppendFormat(nil, timeForm))
	}
	if m.topic != nil {
		dst = appendMember(dst, "topic", m.topic)
	}
	if m.sender != nil {
		dst = appendMember(dst, "sender", m.sender)
	}
	return dst
}

func appendPrettyHead(dst []byte, m message) []byte {
	if !m.at.IsZero() {
		dst = append(m.at.AppendFormat(dst, "15:04:05.000000"), ' ')
	}
	if m.sender != nil {
		dst = append(append(dst, quoteName(m.sender)...), ' ')
	}
	if m.topic != nil {
		dst = append(append(dst, quoteName(m.topic)...), ": "...)
	}
	return dst
}

// appendKey appends a key of an object, behind a comma if it is not the first.
func appendKey(dst []byte, key string) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	return append(appendString(dst, []byte(key)), ':')
}

func appendMember(dst []byte, key string, value []byte) []byte {
	return appendString(appendKey(dst, key), value)
}

// appendString appends a string of JSON. A byte that is not UTF-8 becomes
// \udb80\udcnn, as in the codec's JSON.
func appendString(dst, s []byte) []byte {
	dst = append(dst, '"')
	for len(s) > 0 {
		r, size := utf8.DecodeRune(s)
		switch {
		case r == utf8.RuneError && size == 1:
			dst = fmt.Appendf(dst, `\udb80\udc%02x`, s[0])
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < ' ' || r == 0x7f:
			dst = fmt.Appendf(dst, `\u%04x`, r)
		default:
			dst = append(dst, s[:size]...)
		}
		s = s[size:]
	}
	return append(dst, '"')
}

// maxQuoted bounds what a line for people repeats of a name, in bytes.
const maxQuoted = 200

// quoteBytes makes a name from outside fit for a line for people.
func quoteBytes(name []byte) string { return option.Quote(string(name)) }

// quoteName is quoteBytes where the name is not plain.
func quoteName(name []byte) []byte {
	for _, c := range name {
		if c <= ' ' || c == '"' || c >= 0x7f {
			return strconv.AppendQuote(nil, string(name[:min(len(name), maxQuoted)]))
		}
	}
	return name
}
