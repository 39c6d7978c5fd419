package node

import (
	"bytes"
	"sync"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/znode/znode/sockets"
)

const (
	// maxTopics bounds the topics counted by name; the rest is "other".
	maxTopics = 1000
	// maxTopicLength bounds, in bytes, the topics counted by name.
	maxTopicLength = 128
	// otherTopics is the name they are counted under.
	otherTopics = "other"
)

// normalized are the families of topics that hold a name made up for one use;
// they are counted as one. The first is how Zeek's telemetry counts it
// (policy/frameworks/cluster/backend/zeromq/options.zeek).
var normalized = []struct {
	prefix, name []byte
}{
	{[]byte("zeek.cluster.nodeid."), []byte("zeek.cluster.nodeid.__normalized__")},
	{[]byte("zeek.zeromq.internal."), []byte("zeek.zeromq.internal.__normalized__")},
}

// topics counts events by topic.
type topics struct {
	mu     sync.Mutex
	byName map[string]*sockets.TopicCount
	other  sockets.TopicCount
}

func newTopics() *topics {
	return &topics{byName: make(map[string]*sockets.TopicCount)}
}

// counter returns the counters of a topic. The socket remembers them for the
// topics it sees often.
func (t *topics) counter(topic []byte) *sockets.TopicCount {
	for _, n := range normalized {
		if bytes.HasPrefix(topic, n.prefix) {
			topic = n.name
			break
		}
	}
	if len(topic) > maxTopicLength {
		return &t.other
	}
	if !utf8.Valid(topic) {
		// A label must be text; two topics may become one by this.
		topic = bytes.ToValidUTF8(topic, []byte("\uFFFD"))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.byName[string(topic)]
	switch {
	case c != nil:
		return c
	case len(t.byName) >= maxTopics || string(topic) == otherTopics:
		return &t.other
	}
	c = new(sockets.TopicCount)
	t.byName[string(topic)] = c
	return c
}

var (
	topicMessages = prometheus.NewDesc("znode_broker_topic_messages_total",
		"Messages published to a topic, each counted once however many get it", []string{"node", "topic"}, nil)
	topicBytes = prometheus.NewDesc("znode_broker_topic_bytes_total",
		"Bytes on the wire of messages published to a topic, each counted once however many get it", []string{"node", "topic"}, nil)
)

func (t *topics) describe(ch chan<- *prometheus.Desc) {
	ch <- topicMessages
	ch <- topicBytes
}

func (t *topics) collect(ch chan<- prometheus.Metric, node string) {
	show := func(topic string, c *sockets.TopicCount) {
		ch <- prometheus.MustNewConstMetric(topicMessages, prometheus.CounterValue, float64(c.Messages.Load()), node, topic)
		ch <- prometheus.MustNewConstMetric(topicBytes, prometheus.CounterValue, float64(c.Bytes.Load()), node, topic)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for topic, c := range t.byName {
		show(topic, c)
	}
	if t.other.Messages.Load() > 0 {
		show(otherTopics, &t.other)
	}
}
