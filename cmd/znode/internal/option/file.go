package option

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
)

// maxFile bounds the file; every option written out is a few KiB.
const maxFile = 4 * mib

// parseConfigured reads the file that the config option names, the command line
// before the environment. Without one there is nothing given.
func (t table) parseConfigured(line, env []given) ([]given, error) {
	for _, places := range [][]given{line, env} {
		// The last of several flags counts, as for every option.
		for _, g := range slices.Backward(places) {
			if g.option.Name == "config" {
				return t.readFile(g)
			}
		}
	}
	return nil, nil
}

func (t table) readFile(g given) ([]given, error) {
	fail := func(problem string) error {
		return &Error{g.origin.Name + " " + Quote(g.text), problem, g.origin.Place == FromFlag}
	}
	file, err := os.Open(g.text)
	if err != nil {
		return nil, fail(plainError(err))
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, fail(plainError(err))
	}
	if len(data) > maxFile {
		return nil, fail("more than " + formatSize(maxFile) + ", which is no option file")
	}
	return t.parseFile(Printable(g.text), string(data))
}

// plainError leaves out the path, which the message already names.
func plainError(err error) string {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathError.Err
	}
	return err.Error()
}
