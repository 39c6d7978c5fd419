package option

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// Kind is one way of writing values: how text becomes a value of a Go type and
// back, and what is allowed. Make one with [NewKind].
type Kind struct {
	// Placeholder stands for a value in help, such as ENDPOINT.
	Placeholder string
	// Allowed completes the sentence "want ...".
	Allowed string
	// Empty is true when the empty text is a value with a meaning of its own.
	// Otherwise an empty variable counts as not set.
	Empty bool
	// Bare is true when a flag may stand without a value, meaning true.
	Bare bool
	// Private keeps values out of errors; they may be secrets in the wrong place.
	Private bool
	// Literal is true when the text of a value is TOML as it is.
	Literal bool
	// FromTree takes arrays and tables of the file as BurntSushi/toml decodes
	// them ([]any, map[string]any, []map[string]any); nil takes none. dst is
	// what [Option.Field] returned.
	FromTree func(dst, tree any) error

	set func(dst any, text string) error
	get func(src any) string
}

// errWant is the error of a parser that has nothing to add to Kind.Allowed.
var errWant = errors.New("")

// NewKind makes a Kind for fields of type T. The error text of parse, if any, is
// what is wrong about the value in particular; format is its inverse.
func NewKind[T any](placeholder, allowed string, parse func(string) (T, error), format func(T) string) Kind {
	return Kind{
		Placeholder: placeholder,
		Allowed:     allowed,
		set: func(dst any, text string) error {
			v, err := parse(text)
			if err == nil {
				*dst.(*T) = v
			}
			return err
		},
		get: func(src any) string { return format(*src.(*T)) },
	}
}

// assign parses text into dst. where and shown name the value for an error.
func (k Kind) assign(dst any, text, where, shown string) *Error {
	return k.mistake(k.set(dst, text), where, shown)
}

func (k Kind) mistake(err error, where, shown string) *Error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errWant):
		return &Error{Where: where + " " + shown, Problem: "want " + k.Allowed}
	}
	return &Error{Where: where + " " + shown, Problem: fmt.Sprintf("%v; want %s", err, k.Allowed)}
}

func verbatim(s string) string { return s }

// Switch is the kind of a bool.
var Switch = func() Kind {
	k := NewKind("", "true, false, T or F", parseBool, func(v bool) string {
		if v {
			return "true"
		}
		return "false"
	})
	k.Bare = true
	return k
}()

func parseBool(text string) (bool, error) {
	switch text {
	case "true", "T":
		return true, nil
	case "false", "F":
		return false, nil
	}
	return false, errWant
}

// enum is the kind of a string that is one of values.
func enum(values ...string) Kind {
	return NewKind(strings.Join(values, "|"), orList(values), func(text string) (string, error) {
		if !slices.Contains(values, text) {
			return "", errWant
		}
		return text, nil
	}, verbatim)
}

func orList(values []string) string {
	last := len(values) - 1
	return strings.Join(values[:last], ", ") + " or " + values[last]
}

var logLevels = map[string]slog.Level{
	"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
}

var logLevel = NewKind("debug|info|warn|error", "debug, info, warn or error", func(text string) (slog.Level, error) {
	level, ok := logLevels[text]
	if !ok {
		return 0, errWant
	}
	return level, nil
}, func(l slog.Level) string { return strings.ToLower(l.String()) })
