package node

import (
	"io"
	"log/slog"
	"os"
	"testing"
)

func init() { childRoles["member"] = runChildMember }

// memberConfig configures a member in a process of its own.
type memberConfig struct{ Node, XPUB, XSUB string }

// memberNews is what it tells: its own id first, then who comes and goes.
type memberNews struct{ What, Name, ID string }

// runChildMember is a member until its stdin ends.
func runChildMember() error {
	var c memberConfig
	in, err := childInput(&c)
	if err != nil {
		return err
	}
	opt := DefaultOptions()
	opt.Node, opt.Mode, opt.Linger = c.Node, Member, 0
	opt.ConnectXPUBEndpoint, opt.ConnectXSUBEndpoint = c.XPUB, c.XSUB
	opt.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	tell := func(what string) func(name, id string) {
		return func(name, id string) { sayToParent(memberNews{what, name, id}) }
	}
	opt.OnNodeUp, opt.OnNodeDown = tell("up"), tell("down")
	n, err := New(opt)
	if err != nil {
		return err
	}
	defer n.Close()
	if err := sayToParent(memberNews{"id", c.Node, n.ID()}); err != nil {
		return err
	}
	if err := n.Start(); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, in)
	return err
}

// startMember starts a member in a process of its own and returns its id.
func startMember(t testing.TB, name string, at endpoints) (c *child, id string) {
	t.Helper()
	c = startChild(t, "member", memberConfig{name, at.xsub, at.xpub})
	var news memberNews
	c.hear(t, &news)
	if news.What != "id" {
		t.Fatalf("member says %+v first", news)
	}
	return c, news.ID
}
