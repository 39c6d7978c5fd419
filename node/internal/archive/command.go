package archive

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"time"
)

// commandTime bounds how long the operator's command may take for one log.
const commandTime = 5 * time.Minute

// maxOutput bounds what is shown of the output of a command that failed.
const maxOutput = 1000

// runCommand hands a log to the operator's command, by its absolute path, since a
// script may change its directory. When that fails, it is logged and the log stays
// where it is.
func (a *Archiver) runCommand(file string) {
	if len(a.opt.Command) == 0 || a.ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(a.ctx, commandTime)
	defer cancel()
	if abs, err := filepath.Abs(file); err == nil {
		file = abs
	}
	args := append(a.opt.Command[1:len(a.opt.Command):len(a.opt.Command)], file)
	cmd := exec.CommandContext(ctx, a.opt.Command[0], args...)
	cmd.WaitDelay = time.Second // for a child of it that keeps the output open
	var output limited
	cmd.Stdout, cmd.Stderr = &output, &output
	a.commands.Add(1)
	if err := cmd.Run(); err != nil {
		a.cmdErrors.Add(1)
		a.opt.Log.Error("rotation command failed", "file", file, "command", a.opt.Command[0],
			"error", err, "output", output.String())
	}
}

// limited keeps the first bytes written to it.
type limited struct{ bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if room := maxOutput - l.Len(); room > 0 {
		l.Buffer.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}
