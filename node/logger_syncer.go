package node

import (
	"sync"
	"sync/atomic"
)

// A syncer hands over deliveries when what they have in the spool is on disk. As
// long as one sync takes, the next deliveries come together for the next one.
type syncer struct {
	l    *Logger
	wake chan struct{} // one slot
	done chan struct{} // closed at its end; nil when there is no syncer

	oldest atomic.Int64 // when the first of what is being synced was received; 0 if there is nothing

	mu     sync.Mutex
	list   []delivery
	ending bool
}

func (y *syncer) init(l *Logger) {
	y.l = l
	y.wake = make(chan struct{}, 1)
	if l.opt.journal() {
		y.done = make(chan struct{})
		l.work.Go(y.run)
	}
}

func (y *syncer) add(d delivery) {
	y.mu.Lock()
	y.list = append(y.list, d)
	y.mu.Unlock()
	y.rouse()
}

func (y *syncer) rouse() {
	select {
	case y.wake <- struct{}{}:
	default:
	}
}

// end waits for the syncer's end.
func (y *syncer) end() {
	if y.done == nil {
		return
	}
	y.mu.Lock()
	y.ending = true
	y.mu.Unlock()
	y.rouse()
	<-y.done
}

// run is the syncer's goroutine.
func (y *syncer) run() {
	defer close(y.done)
	var list []delivery
	for {
		y.mu.Lock()
		list, y.list = y.list, list[:0]
		ending := y.ending
		y.mu.Unlock()
		if len(list) == 0 {
			if ending {
				return
			}
			<-y.wake
			continue
		}
		y.oldest.Store(list[0].at)
		y.l.hooks().at("spooled")
		_ = y.l.store.retrySync()
		y.l.hooks().at("synced")
		for _, d := range list {
			d.ln.deliver(d)
		}
		y.oldest.Store(0)
		clear(list)
	}
}
