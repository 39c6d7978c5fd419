package option

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// ErrHelp is returned by [Load] when the command line asks for help.
var ErrHelp = errors.New("help requested")

// Error is a mistake in what znode was given, in one line that a person can act
// on. What the user wrote is quoted and cut.
type Error struct {
	// Where is the flag, the variable or FILE:LINE: KEY, as the user wrote it.
	Where string
	// Problem says what is wrong and what is allowed.
	Problem string
	// Flag is true when the mistake is on the command line itself.
	Flag bool
}

// Error is Where and Problem in one line.
func (e *Error) Error() string { return e.Where + ": " + e.Problem }

// flagError is a mistake on the command line that reads as one sentence.
type flagError string

// Error is the sentence.
func (e flagError) Error() string { return string(e) }

func flagErrorf(format string, args ...any) error {
	return flagError(fmt.Sprintf(format, args...))
}

// IsCommandLine tells whether err is a mistake on the command line, as opposed
// to one in the environment, in a file, or in what was found when starting.
func IsCommandLine(err error) bool {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Flag
	}
	_, ok := errors.AsType[flagError](err)
	return ok
}

// maxQuoted is how many bytes of a wrong value an error repeats.
const maxQuoted = 80

// Quote makes text from outside fit to print in a line for people: in quotes,
// without control characters, cut.
func Quote(text string) string {
	if len(text) > maxQuoted {
		return `"` + visible(text[:maxQuoted]) + `"...`
	}
	return `"` + visible(text) + `"`
}

// Printable is text itself where it prints as one word, else [Quote] of it.
func Printable(text string) string {
	if q := Quote(text); q != `"`+text+`"` || text == "" || strings.ContainsAny(text, ` "`) {
		return q
	}
	return text
}

// visible escapes what would break the line or steer the terminal.
func visible(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}
