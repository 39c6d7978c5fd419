package archive

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// suffixes are those a finished log may carry behind ".log".
var suffixes = []string{"", ".gz", ".zst"}

// maxSame bounds the logs of one name that were opened and closed in the same
// seconds.
const maxSame = 1 << 20

// Free returns the name, relative to dir, for a log that was open from open to
// end, such that no file has it, compressed or not. taken, if not nil, says
// which names are promised to others.
func Free(dir, name string, open, end time.Time, taken func(rel string) bool) (string, error) {
	open, end = open.Local(), end.Local()
	day := open.Format("2006-01-02")
	base := name + "." + open.Format("15:04:05") + "-" + end.Format("15:04:05")
	for n := 1; n <= maxSame; n++ {
		rel := numbered(filepath.Join(day, base+".log"), n)
		if taken != nil && taken(rel) {
			continue
		}
		used, err := exists(filepath.Join(dir, rel))
		if err != nil {
			return "", err
		}
		if !used {
			return rel, nil
		}
	}
	return "", fmt.Errorf("archive: no free name for %s in %s", base, filepath.Join(dir, day))
}

// numbered is the n-th name for the log with the name rel.
func numbered(rel string, n int) string {
	if n == 1 {
		return rel
	}
	return fmt.Sprintf("%s-%d.log", strings.TrimSuffix(rel, ".log"), n)
}

// exists reports whether a log has this name, with any suffix.
func exists(file string) (bool, error) {
	for _, s := range suffixes {
		switch _, err := os.Lstat(file + s); {
		case err == nil:
			return true, nil
		case !os.IsNotExist(err):
			return false, err
		}
	}
	return false, nil
}
