package side

import "errors"

// BuildZnode builds the command from this module into dir and returns the
// program and the commit it is of.
func BuildZnode(dir string) (program, version string, err error) {
	program, missing := buildZnode(dir)
	if missing != "" {
		return "", "", errors.New("znode " + missing)
	}
	return program, commit(), nil
}

// Commit names the module's source as it is here.
func Commit() string { return commit() }
