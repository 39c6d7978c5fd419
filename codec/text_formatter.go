package codec

import (
	"bytes"
	"errors"
	"slices"
	"time"
)

// Formatter turns batches into the lines of Zeek's ASCII writer. It remembers
// the columns of the last batch, so a Formatter for each log file is faster
// than one for all; several may share their options.
type Formatter struct {
	o      TextOptions
	tsv    tsvStyle
	json   jsonStyle
	schema []byte // of the columns that tsv and json are prepared for
}

// NewFormatter checks the options and prepares a Formatter.
func NewFormatter(o TextOptions) (*Formatter, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	f := &Formatter{o: o}
	if o.Format == FormatJSON {
		f.json.init(&o)
	} else {
		f.tsv.init(&o)
	}
	return f, nil
}

// Options returns the options the Formatter was made with.
func (f *Formatter) Options() TextOptions { return f.o }

// errChecker means that formatting and checking disagree about a record.
var errChecker = errors.New("internal error: formatter and checker disagree")

// AppendRecords appends a line for each record of the batch, whose header must
// have been decoded; the records are checked on the way. If one has a defect,
// dst comes back as it was, with the error of [Records.Err]: no line of a bad
// batch is seen.
func (f *Formatter) AppendRecords(dst []byte, b *Batch) ([]byte, error) {
	if b.NumRecords == 0 {
		return dst, nil
	}
	json := f.o.Format == FormatJSON
	if !bytes.Equal(f.schema, b.schema) {
		f.schema = append(f.schema[:0], b.schema...)
		if json {
			f.json.prepare(b.Fields)
		}
	}
	start, ok := len(dst), false
	if json {
		dst, ok = f.json.appendRecords(dst, b)
	} else {
		dst, ok = f.tsv.appendRecords(dst, b)
	}
	if ok {
		return dst, nil
	}
	// Formatting only sees that something is wrong; the checker says what.
	r := b.Records()
	for r.Next() {
	}
	if r.Err() == nil {
		return dst[:start], errChecker
	}
	return dst[:start], r.Err()
}

// AppendHeader appends the lines at the top of a TSV file: separators, path,
// columns, and the time the file was opened, shown in local time as Zeek does.
// It appends nothing for JSON and without include_meta.
func (f *Formatter) AppendHeader(dst []byte, b *Batch, open time.Time) []byte {
	if f.o.Format == FormatJSON || !f.o.IncludeMeta {
		return dst
	}
	dst = append(dst, f.o.MetaPrefix...)
	dst = append(dst, "separator "...)
	dst = appendVisible(dst, []byte(f.o.Separator))
	dst = append(dst, '\n')
	dst = f.appendMeta(dst, "set_separator", f.o.SetSeparator)
	dst = f.appendMeta(dst, "empty_field", f.o.EmptyField)
	dst = f.appendMeta(dst, "unset_field", f.o.UnsetField)
	dst = f.appendMeta(dst, "path", string(b.Path))
	dst = f.appendTime(dst, "open", open)
	dst = f.appendMetaKey(dst, "fields")
	for i := range b.Fields {
		if i > 0 {
			dst = append(dst, f.o.Separator...)
		}
		dst = f.tsv.appendName(dst, b.Fields[i].Name)
	}
	dst = append(dst, '\n')
	dst = f.appendMetaKey(dst, "types")
	for i := range b.Fields {
		if i > 0 {
			dst = append(dst, f.o.Separator...)
		}
		dst = appendTypeName(dst, &b.Fields[i])
	}
	return append(dst, '\n')
}

// AppendClose appends the #close line of a TSV file.
func (f *Formatter) AppendClose(dst []byte, at time.Time) []byte {
	if f.o.Format == FormatJSON || !f.o.IncludeMeta {
		return dst
	}
	return f.appendTime(dst, "close", at)
}

func (f *Formatter) appendMetaKey(dst []byte, key string) []byte {
	dst = append(dst, f.o.MetaPrefix...)
	dst = append(dst, key...)
	return append(dst, f.o.Separator...)
}

func (f *Formatter) appendMeta(dst []byte, key, value string) []byte {
	dst = f.appendMetaKey(dst, key)
	dst = appendVisible(dst, []byte(value))
	return append(dst, '\n')
}

func (f *Formatter) appendTime(dst []byte, key string, t time.Time) []byte {
	dst = f.appendMetaKey(dst, key)
	dst = t.Local().AppendFormat(dst, "2006-01-02-15-04-05")
	return append(dst, '\n')
}

// appendVisible writes whitespace and everything outside printable ASCII as
// \xnn, which is Zeek's rule for values in a header.
func appendVisible(dst, s []byte) []byte {
	for _, c := range s {
		if c <= ' ' || c >= 0x7f {
			dst = appendHexByte(dst, c)
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

// appendTypeName writes a column's type: "count", "set[addr]", "vector[time]".
func appendTypeName(dst []byte, f *Field) []byte {
	switch f.Type {
	case TypeTable:
		dst = append(dst, "set["...)
	case TypeVector:
		dst = append(dst, "vector["...)
	default:
		return append(dst, f.Type.String()...)
	}
	dst = append(dst, f.Subtype.String()...)
	return append(dst, ']')
}

const hexDigits = "0123456789abcdef"

// appendHexByte appends \xnn.
func appendHexByte(dst []byte, c byte) []byte {
	return append(dst, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
}

// room returns buf, whose length is its capacity, with at least n bytes behind
// the first used ones.
func room(buf []byte, used, n int) []byte {
	if len(buf)-used >= n {
		return buf
	}
	buf = slices.Grow(buf[:used], n)
	return buf[:cap(buf)]
}
