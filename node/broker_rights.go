package node

import (
	"bytes"

	"github.com/znode/znode/sockets"
)

// secure makes the sockets' options those of a CURVE server whose clients have
// rights.
func (b *Broker) secure(xsub, xpub *sockets.Options) {
	s := b.opt.Curve
	if s == nil {
		return
	}
	for _, o := range []*sockets.Options{xsub, xpub} {
		o.Mechanism = s.broker.Mechanism
		o.Admit = func(p *sockets.Peer) bool { return clientOf(p).listed() }
	}
	b.late = newLateLog()
	xpub.MaySubscribe = func(p *sockets.Peer, prefix []byte, again bool) bool {
		c := clientOf(p)
		may := c.maySubscribe(prefix)
		if !may && !again {
			b.late.add(c.refuse(refusedSubscribe, 1, prefix, p.Addr()))
		}
		return may
	}
	xsub.Sees = b.sees
}

// sees is what a publisher is told of the subscriptions; nil stands for all.
func (b *Broker) sees(p *sockets.Peer) func(prefix []byte) bool {
	c := clientOf(p)
	if c.may().anything {
		return nil
	}
	ours := func(holder *sockets.Peer) bool { return clientOf(holder) == c }
	return func(prefix []byte) bool {
		if bytes.HasPrefix(prefix, []byte(internalPrefix)) {
			return b.xpub.HeldBy(prefix, ours)
		}
		return c.may().concerns(prefix)
	}
}

// forwardFor forwards what the sender may publish.
func (b *Broker) forwardFor(batch sockets.Batch) {
	c := clientOf(batch.Peer())
	if c.may().anything {
		b.xpub.Forward(batch)
		return
	}
	refused := b.xpub.ForwardIf(batch, c.publish)
	if refused.Messages > 0 {
		b.refused.Add(uint64(refused.Messages))
		b.refusedBytes.Add(uint64(refused.Bytes))
		b.late.add(c.refuse(refusedPublish, refused.Messages, refused.Topic, batch.Peer().Addr()))
	}
}

// Rejudge applies what BrokerOptions.Curve says of its clients now to everything
// there is: clients that are not listed any more are disconnected, subscriptions
// that are no right any more are cancelled and those that have become one are
// taken, and clients are told of the subscriptions that they may see. It does
// nothing without CURVE.
func (b *Broker) Rejudge() {
	b.xsub.Readmit()
	b.xpub.Readmit()
	b.xpub.Rejudge()
	b.xsub.Rejudge()
}
