package node

import (
	"strings"
	"sync/atomic"

	"github.com/znode/znode/codec"
)

const (
	// maxLabel bounds the labels that come from the wire, in bytes.
	maxLabel = 128
	// maxTallies bounds the combinations of stream, writer and filter counted
	// for one path. What comes beyond is counted under otherTally.
	maxTallies = 32
	otherTally = "(other)"
)

// writesKey tells the writes that are counted apart.
type writesKey struct{ stream, writer, filter, path string }

// tally counts the records of one stream, writer and filter under a path.
type tally struct {
	key       writesKey
	records   atomic.Uint64
	discarded atomic.Uint64 // in batches that were refused
}

// tallies are a lane's. The lane adds to them, the scraper reads.
type tallies struct {
	list atomic.Pointer[[]*tally]
}

// of returns the counters for a batch.
func (t *tallies) of(b *codec.Batch) *tally {
	list := t.all()
	for _, c := range list {
		k := &c.key
		if string(b.Stream) == k.stream && string(b.Writer) == k.writer && string(b.Filter) == k.filter {
			return c
		}
	}
	if len(list) > maxTallies {
		return list[maxTallies]
	}
	c := &tally{key: writesKey{metricLabel(b.Stream), metricLabel(b.Writer), metricLabel(b.Filter), metricLabel(b.Path)}}
	if len(list) == maxTallies {
		c.key.stream, c.key.writer, c.key.filter = otherTally, otherTally, otherTally
	}
	longer := append(list[:len(list):len(list)], c)
	t.list.Store(&longer)
	return c
}

func (t *tallies) all() []*tally {
	if p := t.list.Load(); p != nil {
		return *p
	}
	return nil
}

// metricLabel makes a metric's label of bytes from the wire.
func metricLabel(b []byte) string {
	return strings.ToValidUTF8(string(b[:min(len(b), maxLabel)]), "\uFFFD")
}

// module is the part of a stream's name before "::".
func module(stream string) string {
	m, _, ok := strings.Cut(stream, "::")
	if !ok {
		return ""
	}
	return m
}
