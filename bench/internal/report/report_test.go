package report

import (
	"bytes"
	"encoding/xml"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var rate = Metric{Name: "deliveries", Unit: PerSecond, Better: More, Plot: true}

// example has a side that is ten times another in each round, although both
// doubled meanwhile, and one that is missing.
func example() *Report {
	r := &Report{Title: "Test <&>", Started: time.Unix(0, 0).UTC(), Rounds: 3, Margin: 0.5, Machine: Machine{CPU: "cpu", Cores: 2}}
	fast, slow := Series{Side: "fast"}, Series{Side: "slow"}
	for _, v := range []float64{100, 150, 200} {
		fast.Add(rate, 10*v)
		slow.Add(rate, v)
		fast.Add(Metric{Name: "loss", Unit: Count}, 0)
		slow.Add(Metric{Name: "loss", Unit: Count}, 0)
	}
	r.Groups = []Group{{
		Name: "scenario=test", Title: "a < b", Series: []Series{fast, slow, {Side: "gone", Missing: "no compiler"}},
		Wants: []Want{
			{"fast", "deliveries", PerSecond, "slow", AtLeast, 10},
			{"fast", "deliveries", PerSecond, "slow", Above, 10},
			{"slow", "deliveries", PerSecond, "", AtLeast, 151},
			{"fast", "deliveries", PerSecond, "gone", AtLeast, 1},
			{"fast", "loss", Count, "slow", AtMost, 1},
			{"fast", "loss", Count, "", AtMost, 0},
			{"fast", "height", Count, "", AtMost, 0},
			{"other", "loss", Count, "", AtMost, 0},
		},
	}}
	return r
}

func TestJudge(t *testing.T) {
	r := example()
	if missed := r.Judge(); missed != 2 {
		t.Errorf("%d missed, want 2", missed)
	}
	g := r.Groups[0]
	for i, want := range []string{Met, Missed, Missed, Unknown, Unknown, Met, Unknown, Unknown} {
		if !strings.HasPrefix(g.Verdicts[i], want+": ") {
			t.Errorf("%v: %q, want %s", g.Wants[i], g.Verdicts[i], want)
		}
	}
	if !strings.Contains(g.Verdicts[0], "10x (10x to 10x)") {
		t.Errorf("ratios are not taken per round: %q", g.Verdicts[0])
	}
	if !strings.Contains(g.Verdicts[3], "no compiler") {
		t.Errorf("the reason is lost: %q", g.Verdicts[3])
	}
	if len(g.Warnings) != 1 || !strings.Contains(g.Warnings[0], "deliveries of fast (67 %), deliveries of slow (67 %)") {
		t.Errorf("samples from 100 to 200 with a margin of 50 %%: %q", g.Warnings)
	}
	r = example()
	r.Margin = 0.7
	if r.Judge(); len(r.Groups[0].Warnings) != 0 {
		t.Errorf("with a margin of 70 %%: %q", r.Groups[0].Warnings)
	}
}

func TestMedianAndSpread(t *testing.T) {
	for _, c := range []struct {
		samples        []float64
		median, spread float64
	}{
		{nil, 0, 0}, {[]float64{5}, 5, 0}, {[]float64{3, 1, 2}, 2, 1}, {[]float64{4, 1, 3, 2}, 2.5, 1.2},
		{[]float64{0, 0, 0}, 0, 0}, {[]float64{0, 0, 3}, 0, 3}, {[]float64{-2, -4, -3}, -3, 2. / 3},
	} {
		v := Values{Samples: c.samples}
		if v.Median() != c.median || math.Abs(v.Spread()-c.spread) > 1e-9 {
			t.Errorf("%v: median %v, spread %v", c.samples, v.Median(), v.Spread())
		}
	}
}

func TestFormatValue(t *testing.T) {
	for _, c := range []struct {
		v    float64
		unit Unit
		want string
	}{
		{0, PerSecond, "0 /s"}, {999, PerSecond, "999 /s"}, {1000, PerSecond, "1.00 k/s"}, {999_600, PerSecond, "1.00 M/s"},
		{4_512_345, PerSecond, "4.51 M/s"}, {12, Bytes, "12.0 B"}, {47 << 20, Bytes, "47.0 MiB"},
		{1.5e-7, Seconds, "150 ns"}, {0.0000352, Seconds, "35.2 us"}, {0.8, Seconds, "800 ms"}, {61.2, Seconds, "61.2 s"}, {0, Seconds, "0 s"},
		{0.123, Share, "12.3 %"}, {123456789, Count, "123456789"}, {0.5, Count, "0.5"}, {-3, Count, "-3"},
	} {
		if got := FormatValue(c.v, c.unit); got != c.want {
			t.Errorf("%v %s: %q, want %q", c.v, c.unit, got, c.want)
		}
	}
}

func TestTextNamesEverything(t *testing.T) {
	r := example()
	r.Judge()
	var text, md strings.Builder
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteMarkdown(&md, []string{"deliveries"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"scenario=test", "fast", "slow", "no compiler", "1.50 k/s", Missed, "too noisy"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, text.String())
		}
		if !strings.Contains(md.String(), want) {
			t.Errorf("the Markdown lacks %q", want)
		}
	}
	if !strings.Contains(md.String(), `srcset="deliveries-dark.svg"`) {
		t.Error("the Markdown lacks the plot")
	}
}

func TestJSONKeepsTheReport(t *testing.T) {
	r := example()
	r.Judge()
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	back, err := ReadJSON(&b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(r, back) {
		t.Errorf("got %+v\nwant %+v", back, r)
	}
	if _, err := ReadJSON(strings.NewReader(`{"nothing":1}`)); err == nil {
		t.Error("an unknown field was accepted")
	}
}

func TestPlotsAreWellFormed(t *testing.T) {
	dir := t.TempDir()
	names, err := example().WritePlots(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(names, []string{"deliveries"}) {
		t.Errorf("plots %v", names)
	}
	for _, theme := range Themes {
		data, err := os.ReadFile(filepath.Join(dir, "deliveries-"+theme.Name+".svg"))
		if err != nil {
			t.Fatal(err)
		}
		bars := 0
		for dec := xml.NewDecoder(bytes.NewReader(data)); ; {
			token, err := dec.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", theme.Name, err)
			}
			if e, ok := token.(xml.StartElement); ok && e.Name.Local == "rect" {
				bars++
			}
		}
		if bars != 1+2*2 {
			t.Errorf("%s: %d rectangles, want the page and two per side", theme.Name, bars)
		}
		if !strings.Contains(string(data), "a &lt; b") || !strings.Contains(string(data), theme.Ground) {
			t.Errorf("%s: title or colour missing", theme.Name)
		}
	}
}
