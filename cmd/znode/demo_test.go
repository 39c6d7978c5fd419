package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"
)

// TestDemo: the demo says what it does until it is told to end, and leaves its logs.
func TestDemo(t *testing.T) {
	t.Parallel()
	logs := filepath.Join(t.TempDir(), "logs")
	d := follow(t, "demo", "--log-dir", logs, "--log-format", "json")
	until := func(pattern string) {
		t.Helper()
		var said []string
		for line := range d.lines {
			if regexp.MustCompile(pattern).MatchString(line) {
				return
			}
			said = append(said, line)
		}
		t.Fatalf("no line %s in %q", pattern, said)
	}
	until(`^metrics are at http://127\.0\.0\.1:[0-9]+/metrics$`)
	until(`^4 sensors publish to tcp://127\.0\.0\.1:[0-9]+, subscribe at tcp://127\.0\.0\.1:[0-9]+ and log to tcp://127\.0\.0\.1:[0-9]+$`)
	drops := "0"
	if raceEnabled { // it may not be quick enough for all that the sensors send
		drops = "[0-9]+"
	}
	until(`^[1-9][0-9]* events/s published, [1-9][0-9]* events/s delivered, [1-9][0-9]* records/s, ` + drops + ` drops, `)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		text, _ := os.ReadFile(filepath.Join(logs, "demo_conn.log"))
		if bytes.Contains(text, []byte(`"peer_descr":"sensor-1"`)) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing of sensor-1 in %.500q", text)
		}
	}
	if err := d.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	until(`^summary: [1-9][0-9]* events .* [1-9][0-9]* records written, 0 refused; logs are in `)
	if people := d.end(t); people != "" {
		t.Errorf("it says %s", people)
	}
}
