package layout

import "fmt"

// Error is what is wrong with a layout, and where.
type Error struct {
	File         string
	Line, Column int // from 1; Column counts characters
	Problem      string
}

// Error is one line in the form of compilers.
func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Problem)
}

// failure carries an Error up to [Parse]; no panic leaves the package.
type failure struct{ err *Error }
