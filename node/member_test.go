package node

import (
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/znode/znode/sockets/zmqtest"
)

// news records what a member tells of the others.
type news struct {
	mu    sync.Mutex
	lines []string
}

func (w *news) add(line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, line)
}

func (w *news) list() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.lines)
}

// has reports whether a line is among them.
func (w *news) has(line string) bool { return slices.Contains(w.list(), line) }

// testMember makes a member that is not started; log gets what it warns of.
func testMember(t testing.TB, name string, at endpoints, change func(*Options)) (*Node, *news, *lockedBuffer) {
	t.Helper()
	w, log := new(news), new(lockedBuffer)
	opt := testNodeOptions(t)
	opt.Node, opt.Mode = name, Member
	opt.ConnectXPUBEndpoint, opt.ConnectXSUBEndpoint = at.xsub, at.xpub
	opt.Layout = testLayout
	opt.HelloExpiration = time.Hour // nothing expires because the machine is slow
	opt.Log = slog.New(slog.NewTextHandler(log, nil))
	opt.OnNodeUp = func(name, id string) { w.add("up " + name + " " + id) }
	opt.OnNodeDown = func(name, id string) { w.add("down " + name + " " + id) }
	if change != nil {
		change(&opt)
	}
	return newNode(t, opt), w, log
}

var testLayout = Layout{
	"manager": {Type: NodeManager}, "logger-1": {Type: NodeLogger}, "proxy-1": {Type: NodeProxy},
	"worker-1": {Type: NodeWorker}, "worker-2": {Type: NodeWorker}, "worker-3": {Type: NodeWorker},
}

// In whatever order a broker, a Zeek and three members start, all see all.
func TestMembersAnyOrder(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	orders := [][]int{{0, 1, 2, 3, 4}, {4, 3, 2, 1, 0}, {1, 2, 0, 3, 4}}
	for range 3 {
		orders = append(orders, rng.Perm(5))
	}
	p := zmqtest.Start(t)
	for i, order := range orders {
		t.Run(fmt.Sprintf("order=%d", i), func(t *testing.T) { membersInOrder(t, p, order) })
	}
}

func membersInOrder(t *testing.T, p *zmqtest.Process, order []int) {
	at := testEndpoints(t)
	z := newZeek(t, p, "manager")
	names := []string{"logger-1", "proxy-1", "worker-1"}
	members := make([]*Node, len(names))
	told := make([]*news, len(names))
	for i, name := range names {
		members[i], told[i], _ = testMember(t, name, at, nil)
	}
	for _, what := range order {
		switch what {
		case 0:
			at.broker(t)
		case 1:
			z.join(t, at)
		default:
			startNode(t, members[what-2])
		}
	}
	want := map[string]string{"manager": z.id}
	for i, name := range names {
		want[name] = members[i].ID()
	}
	z.until(t, "all to see all", func() bool {
		for _, w := range told {
			if len(w.list()) < 3 {
				return false
			}
		}
		return len(z.up) == 3
	})
	for i, m := range members {
		others := maps.Clone(want)
		delete(others, names[i])
		if !maps.Equal(m.Nodes(), others) || len(told[i].list()) != 3 {
			t.Errorf("%s knows %v and was told %q, want %v", names[i], m.Nodes(), told[i].list(), others)
		}
	}
	if len(z.ups) != 3 || len(z.downs)+len(z.complain) > 0 {
		t.Errorf("the Zeek saw %q come and %q go, and complains: %q", z.ups, z.downs, z.complain)
	}
	z.XPUB.Close(t, 0)
	z.XSUB.Close(t, 0)
}

// A member that is killed is told as down, and its next instance as up.
func TestMemberKilledAndRestarted(t *testing.T) {
	t.Parallel()
	at := testEndpoints(t)
	at.broker(t)
	p := zmqtest.Start(t)
	z := newZeek(t, p, "manager")
	z.join(t, at)
	m, told, _ := testMember(t, "proxy-1", at, nil)
	startNode(t, m)
	c, id := startMember(t, "worker-2", at)
	z.until(t, "worker-2 to be up", func() bool { return m.Nodes()["worker-2"] == id && z.up["worker-2"] == id })
	for range 2 { // the manager and proxy-1
		var n memberNews
		c.hear(t, &n)
		if n.What != "up" || n.Name != "manager" && n.Name != "proxy-1" {
			t.Errorf("worker-2 was told %+v", n)
		}
	}
	c.kill() // as kill -9 does
	z.until(t, "worker-2 to be down", func() bool { return told.has("down worker-2 "+id) && slices.Contains(z.downs, id) })
	_, next := startMember(t, "worker-2", at)
	if next == id {
		t.Fatalf("a new instance has the old id %s", id)
	}
	z.until(t, "worker-2 to be up again", func() bool { return m.Nodes()["worker-2"] == next && z.up["worker-2"] == next })
	if len(z.complain) > 0 {
		t.Errorf("the Zeek complains: %q", z.complain)
	}
}

// scripted starts a member at a raw broker, where the test plays all others, and
// passes its own first subscriptions on to it.
func scripted(t *testing.T, change func(*Options)) (*Node, *rawBroker, *news, *lockedBuffer) {
	t.Helper()
	xsub, xpub := zmqtest.Listen(t, "tcp://127.0.0.1:0"), zmqtest.Listen(t, "tcp://127.0.0.1:0")
	n, told, log := testMember(t, "worker-1", endpoints{xsub.Endpoint, xpub.Endpoint}, change)
	startNode(t, n)
	r := &rawBroker{xsub: xsub.Accept(t), xpub: xpub.Accept(t), listenXSUB: xsub, listenXPUB: xpub}
	r.xsub.Handshake(t, "XSUB")
	r.xpub.Handshake(t, "XPUB")
	return n, r, told, log
}

// topicsOf returns what a node subscribes to first.
func (r *rawBroker) topicsOf(t *testing.T, count int) []string {
	t.Helper()
	var topics []string
	for range count {
		topics = append(topics, r.relay(t))
	}
	slices.Sort(topics)
	return topics
}

const workerTopics = 6

func TestMemberTopics(t *testing.T) {
	t.Parallel()
	n, r, _, _ := scripted(t, nil)
	want := []string{
		"\x01zeek.cluster.node.worker-1.", "\x01zeek.cluster.nodeid." + n.ID() + ".", "\x01zeek.cluster.pool.worker",
		"\x01zeek.cluster.worker", "\x01zeek/supervisor", "\x01zeek/table/",
	}
	if got := r.topicsOf(t, workerTopics); !slices.Equal(got, want) {
		t.Errorf("subscribed to\n%q, want\n%q", got, want)
	}
	if !strings.HasPrefix(n.ID(), "zeromq_worker-1_") {
		t.Errorf("id %s", n.ID())
	}
}

// said returns what the node publishes next: "event to-id".
func (r *rawBroker) said(t *testing.T) string {
	t.Helper()
	frames := r.xsub.Recv(t)
	var e Event
	if err := e.decode(appendFrames(frames)); err != nil {
		t.Fatal(err)
	}
	return string(e.Name()) + " " + strings.TrimSuffix(strings.TrimPrefix(string(e.topic), "zeek.cluster.nodeid."), ".")
}

func expectSaid(t *testing.T, r *rawBroker, want string) {
	t.Helper()
	if got := r.said(t); got != want {
		t.Fatalf("the member says %q, want %q", got, want)
	}
}

// The greeting, both halves in either order, and what is not to be answered.
func TestMemberGreeting(t *testing.T) {
	t.Parallel()
	n, r, told, log := scripted(t, nil)
	logged := func(text string) {
		t.Helper()
		await(t, text, func() bool { return strings.Contains(log.String(), text) })
	}

	// Subscription first.
	r.xsub.Subscribe(t, zeekIDTopic("idA"))
	expectSaid(t, r, zeromqHello+" idA")
	r.xsub.Subscribe(t, zeekIDTopic("idA")) // a duplicate
	r.xpub.SendBytes(t, greetingTo(t, n.ID(), zeromqHello, "manager", "idA"))
	expectSaid(t, r, clusterHello+" idA")
	if got := told.list(); len(got) > 0 {
		t.Errorf("told %q before Cluster::hello", got)
	}
	r.xpub.SendBytes(t, greetingTo(t, n.ID(), clusterHello, "manager", "idA"))
	await(t, "manager up", func() bool { return told.has("up manager idA") })

	// Greeting first.
	r.xpub.SendBytes(t, greetingTo(t, n.ID(), zeromqHello, "proxy-1", "idB"))
	await(t, "the greeting to be handled", func() bool { return n.Stats().Handled == 3 })
	r.xsub.Subscribe(t, zeekIDTopic("idB"))
	expectSaid(t, r, zeromqHello+" idB")
	expectSaid(t, r, clusterHello+" idB")
	r.xpub.SendBytes(t, greetingTo(t, n.ID(), clusterHello, "proxy-1", "idB"))
	await(t, "proxy-1 up", func() bool { return told.has("up proxy-1 idB") })

	// The same again: warned of and ignored.
	r.xpub.SendBytes(t, greetingTo(t, n.ID(), zeromqHello, "proxy-1", "idB"))
	logged("node 'proxy-1' sends ZeroMQ::hello twice (id:idB)")
	r.xpub.SendBytes(t, greetingTo(t, n.ID(), clusterHello, "proxy-1", "idB"))

	// Nobody we know, by name.
	r.xpub.SendBytes(t, greetingTo(t, n.ID(), clusterHello, "stranger", "idC"))
	logged("Got Cluster::hello msg from unexpected node: stranger")

	// A new instance that the old one's end was not told of.
	r.xpub.SendBytes(t, greetingTo(t, n.ID(), zeromqHello, "proxy-1", "idD"))
	await(t, "the old proxy-1 down", func() bool { return told.has("down proxy-1 idB") })
	logged("node 'proxy-1' never said goodbye (old id:idB new id:idD)")
	r.xsub.Subscribe(t, zeekIDTopic("idD"))
	expectSaid(t, r, zeromqHello+" idD")
	expectSaid(t, r, clusterHello+" idD")
	r.xpub.SendBytes(t, greetingTo(t, n.ID(), clusterHello, "proxy-1", "idD"))
	await(t, "the new proxy-1 up", func() bool { return told.has("up proxy-1 idD") })

	// A second node of the same name.
	r.xpub.SendBytes(t, greetingTo(t, n.ID(), clusterHello, "proxy-1", "idE"))
	logged("Got Cluster::hello msg from duplicate node:proxy-1")

	// Goodbyes: known, unknown.
	r.xsub.Unsubscribe(t, zeekIDTopic("idA"))
	await(t, "manager down", func() bool { return told.has("down manager idA") })
	r.xsub.Subscribe(t, zeekIDTopic("idF"))
	expectSaid(t, r, zeromqHello+" idF")
	r.xsub.Unsubscribe(t, zeekIDTopic("idF"))
	logged("unsubscription of unknown node with id 'idF'")

	want := []string{"up manager idA", "up proxy-1 idB", "down proxy-1 idB", "up proxy-1 idD", "down manager idA"}
	if got := told.list(); !slices.Equal(got, want) {
		t.Errorf("told\n%q, want\n%q", got, want)
	}
	if got := n.Nodes(); !maps.Equal(got, map[string]string{"proxy-1": "idE"}) {
		t.Errorf("knows %v", got)
	}
}

// Half a greeting is warned of after hello_expiration.
func TestMemberExpiry(t *testing.T) {
	t.Parallel()
	n, r, told, log := scripted(t, func(o *Options) { o.HelloExpiration = 20 * time.Millisecond })
	r.xsub.Subscribe(t, zeekIDTopic("idA"))
	expectSaid(t, r, zeromqHello+" idA")
	r.xpub.SendBytes(t, greetingTo(t, n.ID(), zeromqHello, "manager", "idB"))
	for _, want := range []string{"Expired subscription from nodeid idA", "Expired hello from nodeid idB"} {
		await(t, want, func() bool { return strings.Contains(log.String(), want) })
	}
	// Late is better than never: the subscription is still there.
	r.xpub.SendBytes(t, greetingTo(t, n.ID(), zeromqHello, "proxy-1", "idA"))
	expectSaid(t, r, clusterHello+" idA")
	r.xpub.SendBytes(t, greetingTo(t, n.ID(), clusterHello, "proxy-1", "idA"))
	await(t, "proxy-1 up", func() bool { return told.has("up proxy-1 idA") })
	// A greeting that arrives after its sender has left brings nobody back.
	r.xsub.Unsubscribe(t, zeekIDTopic("idA"))
	await(t, "proxy-1 down", func() bool { return told.has("down proxy-1 idA") })
}

func TestMemberLateGreetingOfTheDead(t *testing.T) {
	t.Parallel()
	n, r, told, _ := scripted(t, nil)
	r.xsub.Subscribe(t, zeekIDTopic("idA"))
	expectSaid(t, r, zeromqHello+" idA")
	r.xpub.SendBytes(t, greetingTo(t, n.ID(), zeromqHello, "manager", "idA"))
	expectSaid(t, r, clusterHello+" idA")
	r.xsub.Unsubscribe(t, zeekIDTopic("idA"))
	// The cancellation came over another connection: wait until it is known.
	r.xsub.Subscribe(t, zeekIDTopic("idZ"))
	expectSaid(t, r, zeromqHello+" idZ")
	r.xpub.SendBytes(t, greetingTo(t, n.ID(), clusterHello, "manager", "idA"))
	await(t, "the greeting to be handled", func() bool { return n.Stats().Handled == 2 })
	if got := told.list(); len(got) > 0 {
		t.Errorf("told %q of a node that had left", got)
	}
}

// What comes as greetings and is none does no harm.
func TestMemberMalformedGreetings(t *testing.T) {
	t.Parallel()
	n, r, told, _ := scripted(t, nil)
	for _, msg := range [][]byte{
		greetingTo(t, n.ID(), clusterHello, "", "idA"),
		greetingTo(t, n.ID(), clusterHello, "manager", ""),
		greetingTo(t, n.ID(), clusterHello, strings.Repeat("x", maxNameBytes+1), "idA"),
		greetingTo(t, n.ID(), clusterHello, "manager", strings.Repeat("x", maxNodeID+1)),
		testEvent(t, zeekIDTopic(n.ID()), "idA", clusterHello),  // four arguments
		greetingTo(t, n.ID(), clusterHello, "worker-2", n.ID()), // our own id
	} {
		r.xpub.SendBytes(t, msg)
	}
	for _, prefix := range []string{"zeek.cluster.nodeid.", "zeek.cluster.nodeid..", "zeek.cluster.nodeid.x", "zeek.cluster.nodeidx."} {
		r.xsub.Subscribe(t, prefix)
		r.xsub.Unsubscribe(t, prefix)
	}
	r.xsub.Subscribe(t, zeekIDTopic("idZ"))
	expectSaid(t, r, zeromqHello+" idZ")
	await(t, "all to be handled", func() bool { return n.Stats().Handled == 5 && n.Stats().Own == 1 })
	if got := told.list(); len(got) > 0 {
		t.Errorf("told %q", got)
	}
}

// Without a layout a member believes what it is told, but not without end, nor
// does it complain without end.
func TestMemberKnownBound(t *testing.T) {
	t.Parallel()
	const strangers = 50
	n, _, told, log := scripted(t, func(o *Options) { o.Layout = nil })
	onLoop(n, func() bool {
		for i := range maxKnown + strangers {
			n.member.hello(fmt.Sprintf("worker-%d", i), fmt.Sprintf("id-%d", i))
		}
		n.member.hello("worker-0", "id-new") // known names still change
		return true
	})
	nodes := n.Nodes()
	if len(nodes) != maxKnown || nodes["worker-0"] != "id-new" || len(told.list()) != maxKnown {
		t.Errorf("knows %d nodes, worker-0 as %s, and was told of %d", len(nodes), nodes["worker-0"], len(told.list()))
	}
	if got := strings.Count(log.String(), "level=ERROR"); got == 0 || got > strangers/2 {
		t.Errorf("%d complaints of %d", got, strangers+1)
	}
}

// Who went and was followed by another process does not take its place again.
func TestMemberFollowed(t *testing.T) {
	t.Parallel()
	n, _, _, _ := scripted(t, nil)
	onLoop(n, func() bool {
		n.member.gone["idA"] = "manager"
		n.member.up("manager", "idB")
		n.member.subscribed([]byte(zeekIDTopic("idA")), n.member.conn)
		return true
	})
	if got := n.Nodes()["manager"]; got != "idB" {
		t.Errorf("manager is %q", got)
	}
}

// Greetings that find no room wait, but not without end.
func TestMemberUnsentBound(t *testing.T) {
	t.Parallel()
	n, _, _, log := scripted(t, nil)
	got := onLoop(n, func() int {
		defer func() { n.member.unsent = nil }()
		for len(n.member.unsent) < maxHalfSeen {
			n.member.unsent = append(n.member.unsent, greeting{"id", zeromqHello})
		}
		n.member.say("id", zeromqHello)
		return len(n.member.unsent)
	})
	if got != maxHalfSeen || !strings.Contains(log.String(), "no room for a greeting") {
		t.Errorf("%d greetings wait; log:\n%s", got, log)
	}
}
