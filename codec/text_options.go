package codec

import (
	"fmt"
	"strings"
)

// TextFormat selects the kind of log file.
type TextFormat string

// The kinds of log files that Zeek's ASCII writer makes.
const (
	FormatTSV  TextFormat = "tsv"
	FormatJSON TextFormat = "json"
)

// TimestampFormat selects how JSON shows values of type time. Intervals are
// always doubles in seconds.
type TimestampFormat string

// The formats of Zeek's option LogAscii::json_timestamps.
const (
	TimestampEpoch          TimestampFormat = "epoch"           // double, seconds
	TimestampMillis         TimestampFormat = "millis"          // integer, truncated
	TimestampMillisUnsigned TimestampFormat = "millis_unsigned" // the same, negative ones wrapped to 64 bits
	TimestampISO8601        TimestampFormat = "iso8601"         // string, UTC, microseconds
)

// EscapePolicy selects what JSON does to bytes of a string that are not
// printable text. It applies to values of type string; enum, file and func
// always use EscapeHex.
type EscapePolicy string

// The policies of Zeek's option LogAscii::json_string_escape_policy.
const (
	// EscapeHex writes \xnn for every byte outside printable ASCII if any
	// part of the string is unacceptable.
	EscapeHex EscapePolicy = "hex"
	// EscapePUA replaces each unacceptable byte nn alone, by U+F00nn.
	EscapePUA EscapePolicy = "pua"
	// EscapeTSV escapes as in a TSV file.
	EscapeTSV EscapePolicy = "tsv"
)

// TextOptions are the options of Zeek's ASCII writer, each under Zeek's name
// (LogAscii::enable_utf_8 and so on). Start from [DefaultTextOptions].
type TextOptions struct {
	// Format is tsv unless LogAscii::use_json is set.
	Format TextFormat
	// EnableUTF8 lets valid UTF-8 through in TSV.
	EnableUTF8 bool
	// IncludeMeta writes the header and #close of a TSV file.
	IncludeMeta bool
	// Separator stands between columns, SetSeparator between elements.
	Separator    string
	SetSeparator string
	// EmptyField stands for an empty string or container, UnsetField for an
	// unset value.
	EmptyField string
	UnsetField string
	// MetaPrefix starts the lines of the header. A TSV record that would start
	// with it has its first byte escaped; with an empty prefix that is every
	// record. Zeek does the same to JSON lines, which then are no JSON any more;
	// here they stay as they are.
	MetaPrefix string

	JSONTimestamps         TimestampFormat
	JSONIncludeUnsetFields bool // as null; otherwise left out
	JSONStringEscapePolicy EscapePolicy
}

// DefaultTextOptions are Zeek's defaults: TSV with UTF-8.
func DefaultTextOptions() TextOptions {
	return TextOptions{
		Format:                 FormatTSV,
		EnableUTF8:             true,
		IncludeMeta:            true,
		Separator:              "\t",
		SetSeparator:           ",",
		EmptyField:             "(empty)",
		UnsetField:             "-",
		MetaPrefix:             "#",
		JSONTimestamps:         TimestampEpoch,
		JSONStringEscapePolicy: EscapeHex,
	}
}

// Validate reports the first option that has a value it cannot take, by name
// and value. The error wraps [ErrOption].
func (o *TextOptions) Validate() error {
	for _, c := range []struct{ option, value, allowed string }{
		{"format", string(o.Format), "tsv json"},
		{"json_timestamps", string(o.JSONTimestamps), "epoch millis millis_unsigned iso8601"},
		{"json_string_escape_policy", string(o.JSONStringEscapePolicy), "hex pua tsv"},
	} {
		if !oneOf(c.value, strings.Fields(c.allowed)) {
			return optionError(c.option, c.value, "want one of: "+c.allowed)
		}
	}
	for _, c := range []struct{ option, value string }{
		{"separator", o.Separator}, {"set_separator", o.SetSeparator},
	} {
		if c.value == "" {
			return optionError(c.option, c.value, "must not be empty")
		}
	}
	for _, c := range []struct{ option, value string }{
		{"separator", o.Separator}, {"set_separator", o.SetSeparator}, {"meta_prefix", o.MetaPrefix},
	} {
		if strings.Contains(c.value, "\n") {
			return optionError(c.option, c.value, "must not contain a newline")
		}
	}
	if o.Separator == o.SetSeparator {
		// Zeek takes this, but forgets to escape it after the first set.
		return optionError("set_separator", o.SetSeparator, "must differ from separator")
	}
	return nil
}

func oneOf(s string, list []string) bool {
	for _, l := range list {
		if s == l {
			return true
		}
	}
	return false
}

func optionError(option, value, want string) error {
	return fmt.Errorf("codec: %w: %s = %q: %s", ErrOption, option, value, want)
}
