package codec

import (
	"errors"
	"strconv"
)

// Reasons why input is refused. An [Error] carries one of them, so callers
// branch with errors.Is(err, codec.ErrTruncated) and so on.
var (
	// ErrTruncated: a length or a fixed-size item reaches past the end of the input.
	ErrTruncated = errors.New("reaches past the end of the input")
	// ErrCount: a count is negative or larger than the remaining bytes could hold.
	ErrCount = errors.New("count is more than the remaining bytes can hold")
	// ErrType: a type tag that the format does not know, or cannot carry here.
	ErrType = errors.New("unsupported type")
	// ErrDepth: containers are nested more than [MaxDepth] deep.
	ErrDepth = errors.New("nested too deep")
	// ErrProto: a transport protocol other than 0 to 3.
	ErrProto = errors.New("unknown transport protocol")
	// ErrFamily: an address family other than IPv4 and IPv6.
	ErrFamily = errors.New("unknown address family")
	// ErrRange: a number outside the range of its type, such as port 65536.
	ErrRange = errors.New("number out of range")
	// ErrTrailing: bytes are left over behind a complete item.
	ErrTrailing = errors.New("unexpected bytes after the end")
	// ErrSyntax: text that does not follow its grammar.
	ErrSyntax = errors.New("syntax error")
	// ErrMismatch: a value does not fit the declared type.
	ErrMismatch = errors.New("value does not fit the declared type")
	// ErrOption: an option has a value that it cannot take.
	ErrOption = errors.New("invalid option")
)

// MaxDepth is how deep containers may nest in anything this package reads.
const MaxDepth = 64

// Error says what was wrong with a piece of input and where. Decoders return a
// pointer to an Error that they own and fill again on their next failure, so
// that a peer who sends garbage costs no allocation: copy the struct to keep it.
type Error struct {
	// Format names what was being read or written, such as "log batch".
	Format string
	// Offset is the position in bytes from the start of the input, or -1
	// where there is no input, as when a Go value does not fit.
	Offset int
	// Record is the record that holds the defect, counted from 1; 0 when it
	// is not inside a record.
	Record int
	// Field names the part: a part of the format ("num_fields") or, inside a
	// record, the log field ("id.orig_h").
	Field string
	// Reason is one of the Err variables of this package.
	Reason error

	// A field's name comes from the input itself. It is kept here, cut, so
	// that filling an Error allocates nothing.
	name    [48]byte
	nameLen uint8
}

// fill describes a failure and returns e, ready to be returned as an error.
func (e *Error) fill(format string, offset int, field string, reason error) *Error {
	*e = Error{Format: format, Offset: offset, Field: field, Reason: reason}
	return e
}

// inRecord adds the record's number, from 1, and the name of the log field.
func (e *Error) inRecord(record int, name []byte) *Error {
	e.Record = record
	e.nameLen = uint8(copy(e.name[:], name))
	return e
}

// FieldName is the name of the part or of the log field at fault.
func (e *Error) FieldName() string {
	if e.nameLen > 0 {
		return string(e.name[:e.nameLen])
	}
	return e.Field
}

// Error implements error. Names that come from the input are quoted.
func (e *Error) Error() string {
	b := append([]byte("codec: "), e.Format...)
	if e.Record > 0 {
		b = append(b, ": record "...)
		b = strconv.AppendInt(b, int64(e.Record), 10)
	}
	if e.nameLen > 0 {
		b = append(b, ": field "...)
		b = strconv.AppendQuoteToASCII(b, string(e.name[:e.nameLen]))
	}
	if e.Field != "" {
		b = append(b, ": "...)
		b = append(b, e.Field...)
	}
	if e.Offset >= 0 {
		b = append(b, " at offset "...)
		b = strconv.AppendInt(b, int64(e.Offset), 10)
	}
	if e.Reason != nil {
		b = append(b, ": "...)
		b = append(b, e.Reason.Error()...)
	}
	return string(b)
}

// Unwrap returns the reason, for errors.Is.
func (e *Error) Unwrap() error { return e.Reason }
