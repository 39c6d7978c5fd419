package netns

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// wantStatus is what the process in the namespace ends with.
const wantStatus = 3

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "enter" {
		if status, done := Enter(); done {
			os.Exit(status)
		}
		os.Exit(inside())
	}
	os.Exit(m.Run())
}

// inside tells what the namespace is like.
func inside() int {
	all, err := net.Interfaces()
	if err != nil {
		fmt.Println(err)
		return 1
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		fmt.Println(err)
		return 1
	}
	c.Close()
	up := 0 // modules may add interfaces of their own, which are down
	for _, i := range all {
		if i.Flags&net.FlagUp != 0 {
			up++
		}
	}
	fmt.Println(up, congestionControl(), os.Getenv(marker))
	return wantStatus
}

// The command runs once more, where there is only a loopback, and its exit status
// is handed on.
func TestEnter(t *testing.T) {
	cmd := exec.Command("/proc/self/exe", "enter")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != wantStatus {
		t.Fatalf("%v, want status %d: %s%s", err, wantStatus, &stdout, &stderr)
	}
	if text := stderr.String(); strings.Contains(text, "no network namespace") {
		if os.Getenv("CI") != "" {
			t.Fatal(text)
		}
		t.Skip(text)
	}
	var interfaces int
	var tcp, mark string
	if _, err := fmt.Sscan(stdout.String(), &interfaces, &tcp, &mark); err != nil {
		t.Fatalf("%v in %q", err, &stdout)
	}
	if interfaces != 1 || !slices.Contains(unpaced, tcp) || mark != "ready" {
		t.Errorf("%d interfaces are up, TCP %s, marked %q", interfaces, tcp, mark)
	}
}
