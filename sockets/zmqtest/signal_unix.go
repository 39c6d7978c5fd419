//go:build unix

package zmqtest

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// ownGroup puts the child into a process group of its own: when the test
// binary dies while the child is stopped, the kernel then ends the child.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// freeze stops the process and returns when it has stopped.
func freeze(p *os.Process) error {
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	var status syscall.WaitStatus
	for {
		_, err := syscall.Wait4(p.Pid, &status, syscall.WUNTRACED, nil)
		if err == syscall.EINTR {
			continue
		}
		if err == nil && !status.Stopped() {
			return fmt.Errorf("process %d ended instead", p.Pid)
		}
		return err
	}
}

// thaw lets a stopped process go on.
func thaw(p *os.Process) error { return p.Signal(syscall.SIGCONT) }
