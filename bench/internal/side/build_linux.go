package side

import (
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed c/zmqproxy.c c/zmqpeer.c c/pump.c
var sources embed.FS

// module is the module that this harness belongs to; znode is built from it.
const module = "github.com/znode/znode"

// Set is what a benchmark has to work with.
type Set struct {
	Sides    []Side
	Peer     string // the libzmq peers' program
	NoPeer   string // why there is none
	Versions []string
}

// Options are what can be chosen about the sides.
type Options struct {
	Names     []string // which
	Znode     string   // znode's binary; empty: built from this module
	ZnodeArgs []string // further flags for "znode run broker"
	Pump      []string // the byte pump in Go, for want of a C compiler; the two addresses are appended
	ZmqPeers  bool     // libzmq peers are wanted too
}

// Find prepares the sides: it builds znode and compiles the C programs into dir.
func Find(dir string, o Options) (*Set, error) {
	s := &Set{NoPeer: "not asked for"}
	if o.ZmqPeers {
		s.Peer, s.NoPeer = compile(dir, "zmqpeer")
	}
	for _, name := range o.Names {
		side := Side{Name: name}
		switch name {
		case Libzmq:
			var proxy string
			proxy, side.Missing = compile(dir, "zmqproxy")
			s.Versions = append(s.Versions, "libzmq "+libzmqVersion())
			side.command = func(pub, sub, _ string) []string { return []string{proxy, pub, sub} }
		case Pump:
			command, language := o.Pump, "Go"
			if program, missing := compile(dir, "pump"); missing == "" {
				command, language = []string{program}, "C"
			}
			s.Versions = append(s.Versions, "pump in "+language)
			side.command = func(pub, sub, _ string) []string { return append(append([]string(nil), command...), pub, sub) }
		case Znode:
			binary := o.Znode
			if binary == "" {
				binary, side.Missing = buildZnode(dir)
			}
			s.Versions = append(s.Versions, "znode "+commit())
			side.command = func(pub, sub, metrics string) []string {
				return append([]string{
					binary, "run", "broker", "--listen-xsub-endpoint", "tcp://" + pub,
					"--listen-xpub-endpoint", "tcp://" + sub, "--metrics-address", metrics,
				}, o.ZnodeArgs...)
			}
		default:
			return nil, fmt.Errorf("unknown side %q, want %s, %s or %s", name, Znode, Libzmq, Pump)
		}
		s.Sides = append(s.Sides, side)
	}
	return s, nil
}

// compile compiles c/<name>.c and returns the program, or why there is none.
func compile(dir, name string) (program, missing string) {
	cc, err := exec.LookPath("cc")
	if err != nil {
		return "", "no C compiler (cc)"
	}
	source, err := sources.ReadFile("c/" + name + ".c")
	if err != nil {
		return "", err.Error()
	}
	file := filepath.Join(dir, name+".c")
	if err := os.WriteFile(file, source, 0o600); err != nil {
		return "", err.Error()
	}
	program = filepath.Join(dir, name)
	args := []string{"-O2", "-o", program, file}
	if name != "pump" {
		args = append(args, "-lzmq", "-lpthread")
	}
	if out, err := exec.Command(cc, args...).CombinedOutput(); err != nil {
		return "", fmt.Sprintf("%s does not compile (is libzmq with its headers here?): %s", name, firstLine(out))
	}
	return program, ""
}

// buildZnode builds the command from the module's source.
func buildZnode(dir string) (binary, missing string) {
	binary = filepath.Join(dir, "znode")
	cmd := exec.Command("go", "build", "-o", binary, module+"/cmd/znode")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", "does not build: " + firstLine(out)
	}
	return binary, ""
}

// commit names the source that znode was built from.
func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "of an unknown commit"
	}
	return firstLine(out)
}

func libzmqVersion() string {
	out, err := exec.Command("pkg-config", "--modversion", "libzmq").Output()
	if err != nil {
		return "of an unknown version"
	}
	return firstLine(out)
}

func firstLine(out []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line
}
