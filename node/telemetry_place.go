package node

import (
	"path"
	"runtime"
	"strconv"
	"strings"
)

// noPlace stands for a place that is not known, as in Zeek.
const noPlace = "none"

// nodePackage is the prefix of this package's functions.
var nodePackage = func() string {
	pc, _, _, _ := runtime.Caller(0)
	name := runtime.FuncForPC(pc).Name()
	slash := strings.LastIndexByte(name, '/') + 1
	dot := strings.IndexByte(name[slash:], '.')
	return name[:slash+dot+1]
}()

// publisher is the program counter of the first caller outside of this package:
// where an event is published. 0 if there is none, as for a node's own greetings.
func publisher() uintptr {
	var pcs [16]uintptr
	f := outside(pcs[:runtime.Callers(2, pcs[:])])
	if strings.HasPrefix(f.Function, "runtime.") {
		return 0
	}
	return f.PC
}

// outside is the first of the frames that is not in this package; the zero Frame
// if all are.
func outside(pcs []uintptr) runtime.Frame {
	frames := runtime.CallersFrames(pcs)
	for {
		f, more := frames.Next()
		if f.Function != "" && !strings.HasPrefix(f.Function, nodePackage) {
			return f
		}
		if !more {
			return runtime.Frame{}
		}
	}
}

// placeName is the place as a metric has it: the last two parts of the file's
// name, and the line.
func placeName(pc uintptr) string {
	if pc == 0 {
		return noPlace
	}
	f := outside([]uintptr{pc + 1}) // + 1: CallersFrames wants where the call returns to
	if f.File == "" {
		return noPlace
	}
	dir, file := path.Split(f.File)
	return path.Join(path.Base(dir), file) + ":" + strconv.Itoa(f.Line)
}
