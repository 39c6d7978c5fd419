package soak

import (
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/znode/znode/codec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEventsSurviveTheirEncoding(t *testing.T) {
	var b builder
	for _, want := range []event{{source: 1, number: 2}, {source: firstMortal, number: 1 << 40, probe: true}} {
		payload, err := b.encode(want)
		if err != nil {
			t.Fatal(err)
		}
		var v codec.EventView
		if err := v.Decode(payload); err != nil {
			t.Fatal(err)
		}
		if got, ok := decodeEvent(&v); !ok || got != want {
			t.Errorf("%+v, %v, want %+v", got, ok, want)
		}
	}
}

func TestTallyNotices(t *testing.T) {
	for _, c := range []struct {
		name                string
		numbers             []uint64
		misordered, strange int64
	}{
		{"in order, with a gap", []uint64{1, 2, 5}, 0, 0},
		{"twice", []uint64{1, 2, 2, 3}, 1, 0},
		{"behind", []uint64{1, 3, 2, 4}, 1, 0},
		{"nobody's", []uint64{1, 0}, 0, 1},
	} {
		tally := newTally()
		for _, n := range c.numbers {
			tally.add(event{source: 3, number: n}, n > 0)
		}
		if misordered, strange := tally.flaws(); misordered != c.misordered || strange != c.strange || tally.count() != int64(len(c.numbers)) {
			t.Errorf("%s: %d misordered, %d strange of %d", c.name, misordered, strange, tally.count())
		}
	}
}

func TestBalanceTakesNothingAway(t *testing.T) {
	whole := balance{sent: 100, delivered: 290, toMembers: 10, toSlow: []slowBalance{{"slow", 60, 40}}}
	if !whole.balanced(3) {
		t.Errorf("unaccounted: %d", whole.unaccounted(3))
	}
	for _, change := range []func(*balance){
		func(b *balance) { b.delivered-- },                                    // lost
		func(b *balance) { b.delivered++ },                                    // twice
		func(b *balance) { b.toMembers++ },                                    // counted and yet delivered
		func(b *balance) { b.toSlow = []slowBalance{{"slow", 59, 40}} },       // lost
		func(b *balance) { b.sent++; b.delivered += 3 },                       // for one of them
		func(b *balance) { b.toSlow[0].dropped = 0; b.toSlow[0].delivered-- }, // not counted
	} {
		b := whole
		b.toSlow = []slowBalance{whole.toSlow[0]}
		change(&b)
		if b.balanced(3) {
			t.Errorf("balanced: %s", b.String())
		}
	}
}

func TestGrowth(t *testing.T) {
	steady := []float64{50, 10, 12, 11, 10, 12, 11}
	leak := []float64{50, 10, 14, 18, 22, 26, 30}
	for _, c := range []struct {
		name        string
		goroutines  []float64
		descriptors []float64
		want        int
	}{
		{"steady", steady, steady, 0},
		{"goroutines leak", leak, steady, 1},
		{"both leak", leak, leak, 2},
		{"too short", leak[:leastRounds-1], leak[:leastRounds-1], 0},
	} {
		r := Result{}
		for i := range c.goroutines {
			r.add("p", 1<<20, c.goroutines[i], c.descriptors[i])
		}
		r.judge()
		if len(r.Flaws) != c.want {
			t.Errorf("%s: %q", c.name, r.Flaws)
		}
	}
	// The slack of memory is relative too.
	h := history{process: "p", samples: [][]float64{{1, 100, 100, 100, 120, 120, 120}, steady, steady}}
	for i := range h.samples[0] {
		h.samples[0][i] *= 1 << 20
	}
	if grown := h.growth(); len(grown) != 1 {
		t.Errorf("20 %% more memory: %q", grown)
	}
}

// Each mistake in the logs is a flaw, and only that.
func TestCheckLogs(t *testing.T) {
	line := func(source, number int) string { return fmt.Sprintf("1.5\t%d\t%d\t%s\n", source, number, text) }
	const head, end = "#separator \\x09\n", "#close\t2026-01-01-00-00-00\n"
	for _, c := range []struct {
		name    string
		dropped uint64
		current string // of logger-1, that is still there
		old     string // of logger-2, finished and compressed
		flaws   int
		fails   string
	}{
		{"all there", 0, line(1, 1) + line(1, 4), line(1, 2) + line(1, 3), 0, ""},
		{"one dropped", 1, line(1, 1) + line(1, 4), line(1, 2), 0, ""},
		{"one lost", 0, line(1, 1) + line(1, 4), line(1, 2), 1, ""},
		{"one too few dropped", 1, line(1, 1), line(1, 2), 1, ""},
		{"one twice", 0, line(1, 1) + line(1, 4), line(1, 2) + line(1, 3) + line(1, 1), 1, ""},
		{"one that was never written", 0, line(1, 1) + line(1, 2), line(1, 3) + line(1, 5), 1, ""},
		{"somebody else's", 0, line(1, 1) + line(1, 4), line(1, 2) + line(1, 3) + line(9, 1), 1, ""},
		{"half a line", 0, line(1, 1) + "1.5\t1", "", 0, "not a record"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &soak{former: []account{{name: "worker-1", source: 1, records: 4, dropped: c.dropped}}}
			for _, name := range []string{"logger-1", "logger-2"} {
				s.loggers = append(s.loggers, &server{name: name, dir: filepath.Join(t.TempDir(), name)})
			}
			day, spool := filepath.Join(s.loggers[1].dir, "2026-01-01"), filepath.Join(s.loggers[0].dir, ".spool")
			writeLog(t, filepath.Join(s.loggers[0].dir, "soak.log"), head+c.current+end)
			writeLog(t, filepath.Join(day, "soak.00:00:00-00:00:01.log.gz"), head+c.old+end)
			writeLog(t, filepath.Join(spool, "soak.log"), "not a log")
			var r Result
			err := s.checkLogs(&r)
			switch {
			case c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)):
				t.Errorf("error %v, want one of %q", err, c.fails)
			case c.fails == "" && (err != nil || len(r.Flaws) != c.flaws || r.LogFiles != 2):
				t.Errorf("%v, flaws %q, %d files", err, r.Flaws, r.LogFiles)
			}
		})
	}
	cut := filepath.Join(t.TempDir(), "soak.log")
	writeLog(t, cut, head+line(1, 1))
	if err := readLog(cut, make(map[uint64]*seen)); err == nil || !strings.Contains(err.Error(), "#close") {
		t.Errorf("a log without its end: %v", err)
	}
}

func writeLog(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if strings.HasSuffix(file, ".gz") {
		z := gzip.NewWriter(&b)
		if _, err := z.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	} else {
		b.WriteString(content)
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestValidate(t *testing.T) {
	good := Options{Duration: 1e10, Round: 1e9, Members: 2, Events: 1, Records: 1}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for _, change := range []func(*Options){
		func(o *Options) { o.Round = 0 }, func(o *Options) { o.Duration = 1 }, func(o *Options) { o.Members = 1 },
		func(o *Options) { o.Events = 0 }, func(o *Options) { o.Records = 0 },
	} {
		o := good
		change(&o)
		if o.Validate() == nil {
			t.Errorf("%+v is valid", o)
		}
	}
}
