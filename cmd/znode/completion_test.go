package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// interpreter is the path of a shell; without it the test is skipped.
func interpreter(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

// shell runs a script that is handed the completion on its standard input.
func shell(t *testing.T, completion string, args ...string) string {
	t.Helper()
	cmd := exec.Command(interpreter(t, args[0]), args[1:]...)
	cmd.Stdin, cmd.Dir = strings.NewReader(completion), t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// TestBashCompletes asks bash what it offers.
func TestBashCompletes(t *testing.T) {
	t.Parallel()
	script := bashCompletion(completions())
	for _, c := range []struct {
		words []string // the last one is to be completed
		want  []string
	}{
		{[]string{"znode", "r"}, []string{"run"}},
		{[]string{"znode", ""}, commandNames()},
		{[]string{"znode", "run", "b"}, []string{"broker"}},
		{[]string{"znode", "run", "--listen-x"}, []string{"--listen-xsub-endpoint", "--listen-xpub-endpoint",
			"--listen-xpub-nodrop", "--listen-xpub-sndhwm", "--listen-xsub-rcvhwm", "--listen-xpub-sndbuf", "--listen-xsub-rcvbuf"}},
		{[]string{"znode", "run", "--log-format", ""}, []string{"tsv", "json"}},
		{[]string{"znode", "run", "--log-format", "=", "j"}, []string{"json"}},
		{[]string{"znode", "run", "--log-format", "="}, []string{"tsv", "json"}},
		{[]string{"znode", "run", "--node", ""}, nil},
		{[]string{"znode", "sub", "--form"}, []string{"--format"}},
		{[]string{"znode", "completion", ""}, []string{"bash", "zsh", "fish"}},
		{[]string{"znode", "nothing", ""}, nil},
	} {
		quoted := make([]string, len(c.words))
		for i, w := range c.words {
			quoted[i] = shellQuote(w)
		}
		got := shell(t, script+"COMP_WORDS=("+strings.Join(quoted, " ")+`); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _znode; printf '%s\n' "${COMPREPLY[@]}"`,
			"bash", "-s")
		if list := strings.Fields(got); !slices.Equal(list, c.want) {
			t.Errorf("%q offers %q, want %q", c.words, list, c.want)
		}
	}
}

// TestFishCompletes asks fish what it offers.
func TestFishCompletes(t *testing.T) {
	t.Parallel()
	script := fishCompletion(completions())
	for line, want := range map[string]string{
		"znode ru":                   "run",
		"znode run --log-format ":    "json tsv",
		"znode run --listen-log":     "--listen-log-endpoint",
		"znode completion ":          "bash fish zsh",
		"znode check --connect-xpub": "--connect-xpub-endpoint",
	} {
		out := shell(t, script+"complete -C"+fishQuote(line), "fish", "--no-config")
		var got []string
		for l := range strings.Lines(out) {
			word, _, _ := strings.Cut(strings.TrimSpace(l), "\t")
			got = append(got, word)
		}
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("%q offers %q, want %s", line, got, want)
		}
	}
}

// TestZshReads: zsh takes the script, and its _arguments the specifications.
func TestZshReads(t *testing.T) {
	t.Parallel()
	script := zshCompletion(completions())
	shell(t, script, "zsh", "-n")
	// _arguments is replaced, because outside of completion it cannot work.
	out := shell(t, "compdef() { :; }\n"+script+
		"_arguments() { print -l -- $@; }\n_describe() { print -l -- ${(P)2}; }\n"+
		"words=(znode ''); CURRENT=2; _znode; words=(znode run ''); CURRENT=3; _znode\n", "zsh", "-f", "-s")
	for _, want := range []string{
		"demo:see a broker and a logger at work\n",
		"--log-format=[format of log files]:value:(tsv json)\n", "--config=[TOML file to read options from]:path:_files\n",
		"--ipv6[", "*:argument:(broker logger",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

// TestCompletionIsWhole: each shell is offered every flag of every command.
func TestCompletionIsWhole(t *testing.T) {
	t.Parallel()
	list := completions()
	bash, zsh, fish := bashCompletion(list), zshCompletion(list), fishCompletion(list)
	flags := 0
	for _, c := range list {
		for _, f := range c.flags {
			flags++
			if !strings.Contains(bash, "--"+f.name) || !strings.Contains(zsh, "'--"+f.name) || !strings.Contains(fish, " -l "+f.name+" ") {
				t.Errorf("%s --%s is not offered", c.name, f.name)
			}
		}
	}
	if flags < 50 {
		t.Errorf("only %d flags", flags)
	}
}
