package proc

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// The tests start this binary again as a process to look at.
	if len(os.Args) > 1 && os.Args[1] == "child" {
		child(os.Args[2])
		return
	}
	goleak.VerifyTestMain(m)
}

func child(what string) {
	switch what {
	case "spin": // says so once it has used 50 ms
		var ru syscall.Rusage
		for time.Duration(ru.Utime.Nano()+ru.Stime.Nano()) < 50*time.Millisecond {
			_ = syscall.Getrusage(syscall.RUSAGE_SELF, &ru)
		}
		fmt.Println("spun")
		_, _ = io.Copy(io.Discard, os.Stdin)
	case "fail":
		fmt.Fprintln(os.Stderr, strings.Repeat("x", 2*tailBytes)+"the end")
		os.Exit(3)
	}
}

func start(t *testing.T, what string) *Process {
	t.Helper()
	p, err := Start(os.Args[0], "child", what)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p
}

func TestCPUAndMemoryOfAnotherProcess(t *testing.T) {
	before, err := Busy()
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, "spin")
	if line, err := bufio.NewReader(p.Stdout).ReadString('\n'); line != "spun\n" {
		t.Fatalf("%q, %v", line, err)
	}
	cpu, err := p.CPU()
	if err != nil || cpu < 50*time.Millisecond {
		t.Errorf("CPU %v, %v", cpu, err)
	}
	now, peak, err := p.Memory()
	if err != nil || now < 100<<10 || peak < now {
		t.Errorf("memory %d, peak %d, %v", now, peak, err)
	}
	if after, err := Busy(); err != nil || after <= before {
		t.Errorf("the machine was busy for %v, then %v, %v", before, after, err)
	}
	if err := p.Ended(); err != nil {
		t.Error(err)
	}
	p.Stop()
	if p.Ended() == nil {
		t.Error("it has been stopped and still runs")
	}
	if _, err := p.CPU(); err == nil {
		t.Error("CPU time of a process that is gone")
	}
}

func TestAProcessThatFailsTellsWhy(t *testing.T) {
	p := start(t, "fail")
	<-p.Done()
	err := p.Ended()
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.HasSuffix(err.Error(), "the end") || len(err.Error()) > tailBytes+500 {
		t.Errorf("%v", err)
	}
	if _, err := Start("/nonexistent/program"); err == nil {
		t.Error("a program that does not exist was started")
	}
}

func TestParseBusy(t *testing.T) {
	got, err := parseBusy("cpu  100 20 3 4000 50 6 7 8 0 0\ncpu0 1 2 3\n")
	if want := 1310 * time.Millisecond; err != nil || got != want {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	for _, bad := range []string{"", "cpu 1 2", "intr 1 2 3 4 5 6 7 8 9", "cpu a b c d e f g h i"} {
		if _, err := parseBusy(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestParseModes(t *testing.T) {
	user, system, err := parseModes("42 (a) b) S 1 2 3 4 5 6 7 8 9 10 150 30 0 0 20 0\n")
	if err != nil || user != 1500*time.Millisecond || system != 300*time.Millisecond {
		t.Errorf("%v, %v, %v", user, system, err)
	}
	for _, bad := range []string{"", "42 (a) S 1 2", "42 (a) S 1 2 3 4 5 6 7 8 9 10 x 30 0"} {
		if _, _, err := parseModes(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}
