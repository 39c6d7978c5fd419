package option

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/znode/znode/sockets/curve"
)

// publicKey is the kind of a curve.Public, also in a file. A secret key looks the
// same, so errors do not repeat what may be one in the wrong place.
var publicKey = func() Kind {
	k := NewKind("KEY", "40 characters of Z85, or file:PATH", func(text string) (curve.Public, error) {
		if path, ok := strings.CutPrefix(text, "file:"); ok {
			var err error
			if text, err = readKey(path, false); err != nil {
				return curve.Public{}, err
			}
		}
		key, err := curve.ParsePublic(text)
		return key, keyError(err)
	}, func(k curve.Public) string {
		if k.IsZero() {
			return ""
		}
		return k.String()
	})
	k.Private = true
	return k
}()

// keyError leaves out the name of the package. The rest quotes no key.
func keyError(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(strings.TrimPrefix(err.Error(), "curve: "))
}

// secretKey is the kind of a curve.Secret, also in a file that only its owner
// reads. Its errors show nothing of the key.
var secretKey = NewKind("KEY", "40 characters of Z85, or file:PATH", func(text string) (curve.Secret, error) {
	if path, ok := strings.CutPrefix(text, "file:"); ok {
		var err error
		if text, err = readKey(path, true); err != nil {
			return curve.Secret{}, err
		}
	}
	key, err := curve.ParseSecret(text)
	return key, keyError(err)
}, func(k curve.Secret) string {
	if k.IsZero() {
		return ""
	}
	return k.Reveal()
})

// maxKeyFile bounds a file with a key, in bytes.
const maxKeyFile = 1 << 10

// readKey reads a file that holds a key and white space. One that is secret nobody
// but its owner and group may read.
func readKey(path string, secret bool) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("%s: %s", Printable(path), plainError(err))
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", fmt.Errorf("%s: %s", Printable(path), plainError(err))
	}
	if info.IsDir() {
		return "", errors.New(Printable(path) + ": is a directory")
	}
	if secret && runtime.GOOS != "windows" && info.Mode().Perm()&0o027 != 0 {
		return "", fmt.Errorf("%s: mode %#o lets others read or the group write it; chmod 600 it", Printable(path), info.Mode().Perm())
	}
	text, err := io.ReadAll(io.LimitReader(file, maxKeyFile+1))
	if err != nil {
		return "", fmt.Errorf("%s: %s", Printable(path), plainError(err))
	}
	if len(text) > maxKeyFile {
		return "", errors.New(Printable(path) + ": too long for a key")
	}
	return strings.TrimSpace(string(text)), nil
}
