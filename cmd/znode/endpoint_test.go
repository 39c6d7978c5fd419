package main

import (
	"strings"
	"testing"

	"github.com/znode/znode/cmd/znode/internal/option"
	"github.com/znode/znode/fuzz/mutate"
	"github.com/znode/znode/sockets"
)

// The option table refuses what is plainly mistyped, so it is the stricter of
// the two: what it lets pass must never fail in sockets for its form.
func FuzzEndpointOption(tf *testing.F) {
	f := mutate.From(tf)
	for _, s := range []string{
		"tcp://127.0.0.1:5555", "tcp://*:0", "tcp://*:*", "tcp://[::1]:5555", "tcp://[fe80::1%eth0]:1", "tcp://localhost.:1",
		"tcp://a_b.example:65535", "tcp://a.b..:1", "tcp://[::1]x:1", "tcp://[::1:1", "tcp://a:b:1", "ipc:///run/x", "ipc://", "ipc://*",
		"ipc://" + strings.Repeat("p", 103), "ipc://" + strings.Repeat("p", 104), "udp://x:1", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_, err := option.Load(option.Request{Command: "run", Use: option.Roles, Args: []string{"--listen-log-endpoint=" + s}})
		if err != nil {
			return
		}
		if _, err := sockets.ParseEndpoint(s); err != nil {
			t.Fatalf("the option takes %q, sockets says: %v", s, err)
		}
	})
}
