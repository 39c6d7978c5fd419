package node

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// TelemetryKinds is a set of what is counted of the events that a node publishes
// and handles (Cluster::Telemetry::Type).
type TelemetryKinds uint8

const (
	// TelemetryInfo counts them.
	TelemetryInfo TelemetryKinds = 1 << iota
	// TelemetryVerbose counts them by topic and event name.
	TelemetryVerbose
	// TelemetryDebug sorts their sizes into a histogram by topic and event
	// name, and where in the program they are published.
	TelemetryDebug
)

// ParseTelemetryKinds reads names separated by commas, in either case: info,
// verbose, debug, or none of them.
func ParseTelemetryKinds(s string) (TelemetryKinds, error) {
	var kinds TelemetryKinds
	for name := range strings.SplitSeq(s, ",") {
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "info":
			kinds |= TelemetryInfo
		case "verbose":
			kinds |= TelemetryVerbose
		case "debug":
			kinds |= TelemetryDebug
		case "":
		default:
			return 0, fmt.Errorf("telemetry kind %q, want info, verbose or debug", name)
		}
	}
	return kinds, nil
}

// String returns what [ParseTelemetryKinds] reads.
func (k TelemetryKinds) String() string {
	var names []string
	for i, name := range []string{"info", "verbose", "debug"} {
		if k&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// TopicNormalization gives all topics that a pattern matches one name, so that
// topics with random parts do not become a metric each.
type TopicNormalization struct {
	Pattern *regexp.Regexp
	// Name stands for the topics; empty leaves their events out of what is
	// counted by topic.
	Name string
}

// TelemetryOptions configures the telemetry of a node.
type TelemetryOptions struct {
	CoreMetrics TelemetryKinds
	// TopicNormalizations are tried in order; the first match counts.
	TopicNormalizations []TopicNormalization
	// MessageSizeBounds are the upper bounds of the histograms' buckets in
	// bytes, ascending.
	MessageSizeBounds []float64
}

// DefaultTelemetryOptions returns Zeek's.
func DefaultTelemetryOptions() TelemetryOptions {
	return TelemetryOptions{
		CoreMetrics: TelemetryInfo,
		TopicNormalizations: []TopicNormalization{
			{regexp.MustCompile(`^zeek/cluster/nodeid/.*`), "zeek/cluster/nodeid/__normalized__"},
			{regexp.MustCompile(`^zeek\.cluster\.nodeid\..*`), "zeek.cluster.nodeid.__normalized__"},
		},
		MessageSizeBounds: []float64{10, 50, 100, 500, 1000, 5000, 10000, 50000},
	}
}

func (o *TelemetryOptions) validate() error {
	if !slices.IsSorted(o.MessageSizeBounds) {
		return fmt.Errorf("message_size_bounds %v: want them in ascending order", o.MessageSizeBounds)
	}
	for _, t := range o.TopicNormalizations {
		if t.Pattern == nil {
			return fmt.Errorf("topic_normalizations: no pattern for %q", t.Name)
		}
	}
	return nil
}

const (
	// maxTelemetryTopics bounds the combinations of topic, event and place that
	// are counted apart, in each direction; further ones are otherTelemetry.
	maxTelemetryTopics = 1000
	// maxTelemetryCache bounds the topics as they came whose counters are
	// remembered; then they are all looked up anew.
	maxTelemetryCache = 4096

	otherTelemetry = "(other)"
)

// telemetry counts a node's events. name is "core" or "websocket".
type telemetry struct {
	name   string
	opt    TelemetryOptions
	byName bool // what is counted depends on topic and event

	_   pad
	in  events
	_   pad
	out events
}

type pad [64]byte

// events counts those of one direction.
type events struct {
	total atomic.Uint64

	mu     sync.Mutex // guards cache; known is written with it
	cache  map[eventKey]*eventCounter
	labels map[eventLabels]*eventCounter
}

// eventKey is an event as it comes.
type eventKey struct {
	topic, event string
	place        uintptr // program counter of who publishes; 0 if it does not count
}

// eventLabels are the labels that it is counted under.
type eventLabels struct{ topic, event, place string }

// eventCounter counts the events with the same labels.
type eventCounter struct {
	labels  eventLabels
	skip    bool // normalized to nothing
	n, sum  atomic.Uint64
	buckets []atomic.Uint64 // events of at most each bound and over the one before
}

func newTelemetry(name string, opt TelemetryOptions) *telemetry {
	t := &telemetry{name: name, opt: opt, byName: opt.CoreMetrics&(TelemetryVerbose|TelemetryDebug) != 0}
	for _, e := range []*events{&t.in, &t.out} {
		e.cache = make(map[eventKey]*eventCounter)
		e.labels = make(map[eventLabels]*eventCounter)
	}
	return t
}

// incoming counts an event that is handled.
func (t *telemetry) incoming(topic, event []byte, size int) {
	t.in.total.Add(1)
	if t.byName {
		t.in.mu.Lock()
		// The conversions of a map's key to strings allocate nothing.
		c := t.in.cache[eventKey{string(topic), string(event), 0}]
		if c == nil {
			c = t.add(&t.in, eventKey{string(topic), string(event), 0})
		}
		t.in.mu.Unlock()
		c.count(t, size)
	}
}

// outgoing counts an event that is published.
func (t *telemetry) outgoing(topic, event string, size int) {
	t.out.total.Add(1)
	if !t.byName {
		return
	}
	k := eventKey{topic: topic, event: event}
	if t.opt.CoreMetrics&TelemetryDebug != 0 {
		k.place = publisher()
	}
	t.out.mu.Lock()
	c := t.out.cache[k]
	if c == nil {
		c = t.add(&t.out, eventKey{strings.Clone(topic), strings.Clone(event), k.place})
	}
	t.out.mu.Unlock()
	c.count(t, size)
}

// add finds or makes the counter of a key and remembers it. The caller holds
// e.mu.
func (t *telemetry) add(e *events, k eventKey) *eventCounter {
	labels := eventLabels{topic: t.normalize(k.topic), event: labelText(k.event), place: placeName(k.place)}
	c := e.labels[labels]
	if c == nil && len(e.labels) >= maxTelemetryTopics {
		labels = eventLabels{otherTelemetry, otherTelemetry, otherTelemetry}
		c = e.labels[labels]
	}
	if c == nil {
		c = &eventCounter{labels: labels, skip: labels.topic == "", buckets: make([]atomic.Uint64, len(t.opt.MessageSizeBounds))}
		e.labels[labels] = c
	}
	if len(e.cache) >= maxTelemetryCache {
		clear(e.cache)
	}
	e.cache[k] = c
	return c
}

// normalize is the topic's name in a metric; "" leaves it out.
func (t *telemetry) normalize(topic string) string {
	for _, r := range t.opt.TopicNormalizations {
		if r.Pattern.MatchString(topic) {
			return r.Name
		}
	}
	if topic == "" {
		return "(empty)"
	}
	return labelText(topic)
}

// count adds an event of size bytes.
func (c *eventCounter) count(t *telemetry, size int) {
	if c.skip {
		return
	}
	c.n.Add(1)
	c.sum.Add(uint64(size))
	for i, bound := range t.opt.MessageSizeBounds {
		if float64(size) <= bound {
			c.buckets[i].Add(1)
			return
		}
	}
}

// labelText makes a label of bytes from outside: valid UTF-8, and not long.
func labelText(s string) string {
	if len(s) > maxNameBytes {
		s = s[:maxNameBytes]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
