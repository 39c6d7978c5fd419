package load

import (
	"flag"
	"fmt"
	"io"
	"strconv"

	"github.com/znode/znode/bench/internal/zmtp"
)

// Roles of a load process.
const (
	RoleStream = "stream" // publishers and subscribers
	RoleNodes  = "nodes"  // cluster nodes that join
	RoleSilent = "silent" // connections that never say anything
)

// What subscribers subscribe to.
const (
	SelectAny = "any" // the empty prefix
	SelectAll = "all" // every topic, each by its own subscription
	SelectOne = "one" // one topic, by the subscriber's number
)

// Config says what a load process does. Its flags are the same in every peer
// program.
type Config struct {
	Role    string
	PubAddr string // where publishers connect: the broker's XSUB, "ip:port"
	SubAddr string // where subscribers connect: the broker's XPUB, "ip:port"

	Pubs, FirstPub int // publishers of this process, and the number of the first
	Subs, FirstSub int // likewise subscribers
	Size           int // payload bytes
	Topics         int // publishers go through so many topics in turn
	// Select is what a subscriber takes: SelectAny, SelectAll or SelectOne.
	Select string
	Rate   int // messages per second of all publishers together; 0: as fast as they can

	Nodes    int // nodes to join
	Inflight int // connections that are opened and not yet greeted at one time
	Silent   int // silent connections, half to each address
}

func (c *Config) flags(fs *flag.FlagSet) {
	fs.StringVar(&c.Role, "role", RoleStream, "stream, nodes or silent")
	fs.StringVar(&c.PubAddr, "pub", "", "address for publishers")
	fs.StringVar(&c.SubAddr, "sub", "", "address for subscribers")
	fs.IntVar(&c.Pubs, "pubs", 0, "publishers")
	fs.IntVar(&c.FirstPub, "first-pub", 0, "number of the first publisher")
	fs.IntVar(&c.Subs, "subs", 0, "subscribers")
	fs.IntVar(&c.FirstSub, "first-sub", 0, "number of the first subscriber")
	fs.IntVar(&c.Size, "size", 200, "payload bytes")
	fs.IntVar(&c.Topics, "topics", 1, "topics")
	fs.StringVar(&c.Select, "select", SelectAny, "any, all or one")
	fs.IntVar(&c.Rate, "rate", 0, "messages per second, 0 for as fast as possible")
	fs.IntVar(&c.Nodes, "nodes", 0, "cluster nodes")
	fs.IntVar(&c.Inflight, "inflight", 64, "connections being opened at one time")
	fs.IntVar(&c.Silent, "silent", 0, "silent connections")
}

// Args returns the flags that make [ParseConfig] return c.
func (c Config) Args() []string {
	args := []string{"-role", c.Role, "-pub", c.PubAddr, "-sub", c.SubAddr, "-select", c.Select}
	for _, f := range []struct {
		name  string
		value int
	}{
		{"pubs", c.Pubs}, {"first-pub", c.FirstPub}, {"subs", c.Subs}, {"first-sub", c.FirstSub},
		{"size", c.Size}, {"topics", c.Topics}, {"rate", c.Rate},
		{"nodes", c.Nodes}, {"inflight", c.Inflight}, {"silent", c.Silent},
	} {
		args = append(args, "-"+f.name, strconv.Itoa(f.value))
	}
	return args
}

// ParseConfig reads the flags of a load process.
func ParseConfig(args []string) (Config, error) {
	var c Config
	fs := flag.NewFlagSet("load", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	c.flags(fs)
	if err := fs.Parse(args); err != nil {
		return c, fmt.Errorf("load: %w", err)
	}
	return c, c.Validate()
}

// Validate reports the first value that no run can have.
func (c *Config) Validate() error {
	for _, f := range []struct {
		name      string
		got       int
		low, high int
	}{
		{"pubs", c.Pubs, 0, zmtp.MaxPublishers}, {"first-pub", c.FirstPub, 0, zmtp.MaxPublishers - c.Pubs},
		{"subs", c.Subs, 0, 10_000}, {"first-sub", c.FirstSub, 0, 10_000},
		{"size", c.Size, zmtp.MinPayload, 1 << 26}, {"topics", c.Topics, 1, zmtp.MaxTopics},
		{"rate", c.Rate, 0, 10_000_000}, {"nodes", c.Nodes, 0, 9999},
		{"inflight", c.Inflight, 1, 100_000}, {"silent", c.Silent, 0, 1_000_000},
	} {
		if f.got < f.low || f.got > f.high {
			return fmt.Errorf("load: -%s %d, want %d to %d", f.name, f.got, f.low, f.high)
		}
	}
	if c.Role != RoleStream && c.Role != RoleNodes && c.Role != RoleSilent {
		return fmt.Errorf("load: -role %q, want %s, %s or %s", c.Role, RoleStream, RoleNodes, RoleSilent)
	}
	if c.Select != SelectAny && c.Select != SelectAll && c.Select != SelectOne {
		return fmt.Errorf("load: -select %q, want %s, %s or %s", c.Select, SelectAny, SelectAll, SelectOne)
	}
	return nil
}

// Prefixes returns what the subscriber with the given number subscribes to.
func (c *Config) Prefixes(sub int) []string {
	switch c.Select {
	case SelectOne:
		return []string{zmtp.Topic(sub % c.Topics)}
	case SelectAll:
		all := make([]string, c.Topics)
		for i := range all {
			all[i] = zmtp.Topic(i)
		}
		return all
	default:
		return []string{""}
	}
}

// Expected returns how many of the messages that the publishers have sent go to
// the subscriber with the given number; sent has one number per publisher.
func (c *Config) Expected(sub int, sent []uint64) uint64 {
	var sum uint64
	for _, n := range sent {
		if c.Select == SelectOne {
			topics, topic := uint64(c.Topics), uint64(sub%c.Topics)
			n = (n + topics - 1 - topic) / topics
		}
		sum += n
	}
	return sum
}
