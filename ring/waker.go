package ring

import uatomic "go.uber.org/atomic"

// waker parks one goroutine until another has something for it.
//
// The sleeper arms it, looks once more at what it waits for, and only then
// receives from c. The other side makes its change visible first and looks at
// armed afterwards. All four steps are sequentially consistent, so at least one
// of the two sees the other, and no wake-up is lost. While nobody sleeps the
// other side pays for one load of a word that does not change.
type waker struct {
	armed uatomic.Bool
	c     chan struct{} // one slot: a wake-up that nobody has taken yet
}

func newWaker() waker { return waker{c: make(chan struct{}, 1)} }

// arm announces a sleeper. It must look again before it sleeps.
func (w *waker) arm() { w.armed.Store(true) }

// wake rouses the sleeper, if there is one.
func (w *waker) wake() {
	if w.armed.Load() {
		w.fire()
	}
}

// fire leaves a wake-up in c, unless somebody else does so for the same sleep.
// A wake-up left over from a sleep that ended otherwise may still be there;
// then that one does the work.
func (w *waker) fire() {
	if !w.armed.CompareAndSwap(true, false) {
		return
	}
	select {
	case w.c <- struct{}{}:
	default:
	}
}
