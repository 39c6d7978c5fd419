package pump

import (
	"errors"
	"io"
	"math"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/znode/znode/bench/internal/rawsock"
	"github.com/znode/znode/bench/internal/zmtp"
)

// pieceBytes is the size of the pieces: larger ones leave the cache, smaller
// ones cost system calls.
const pieceBytes = 128 << 10

// maxMessage is what a piece can grow to for one large message.
const maxMessage = 1 << 30

// The poller's tokens of the listeners; connections have their index.
const (
	tokenPubs = math.MaxInt32 - 1
	tokenSubs = math.MaxInt32
)

// peer is one connection.
type peer struct {
	fd         int
	subscriber bool
	shake      *zmtp.Handshake // nil once it is over
	buf        []byte          // publisher: the piece
	have       int             // bytes in it
	off        int             // subscriber: bytes of the current piece written
}

type pump struct {
	poller   *rawsock.Poller
	pubs     int // the two listeners
	subs     int
	peers    []*peer
	pubCount int
	ready    []*peer // subscribers whose handshake is over
	waiting  []unix.PollFd
}

// Run listens on both addresses, "ip:port", for publishers and subscribers, and
// pumps for ever or until something is wrong that a lost connection does not
// explain.
func Run(pubAddr, subAddr string) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	p := &pump{}
	var err error
	if p.poller, err = rawsock.NewPoller(); err != nil {
		return err
	}
	defer p.poller.Close()
	if p.pubs, err = rawsock.Listen(pubAddr); err != nil {
		return err
	}
	defer rawsock.Close(p.pubs)
	if p.subs, err = rawsock.Listen(subAddr); err != nil {
		return err
	}
	defer rawsock.Close(p.subs)
	if err := p.poller.Add(p.pubs, rawsock.In, tokenPubs); err != nil {
		return err
	}
	if err := p.poller.Add(p.subs, rawsock.In, tokenSubs); err != nil {
		return err
	}
	for {
		if _, err := p.poller.Wait(-1, p.event); err != nil {
			return err
		}
	}
}

func (p *pump) event(token int, _ uint32) error {
	switch token {
	case tokenPubs:
		return p.accept(p.pubs, false)
	case tokenSubs:
		return p.accept(p.subs, true)
	}
	peer := p.peers[token]
	var err error
	switch {
	case peer.fd < 0:
	case peer.shake != nil:
		err = p.greet(peer)
	case peer.subscriber:
		err = swallow(peer.fd)
	default:
		err = p.forward(peer)
	}
	if err == nil {
		return nil
	}
	p.drop(peer)
	if errors.Is(err, io.EOF) || errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.EPIPE) {
		return nil
	}
	return err
}

func (p *pump) accept(listener int, subscriber bool) error {
	for {
		fd, ok, err := rawsock.Accept(listener)
		if err != nil || !ok {
			return err
		}
		peer := &peer{fd: fd, subscriber: subscriber, shake: zmtp.NewHandshake(zmtp.XPUB)}
		if !subscriber {
			peer.shake = zmtp.NewHandshake(zmtp.XSUB)
			peer.buf = make([]byte, pieceBytes)
			p.pubCount++
		}
		if _, err := rawsock.Write(fd, zmtp.Greeting()); err != nil {
			return err
		}
		p.peers = append(p.peers, peer)
		if err := p.poller.Add(fd, rawsock.In, len(p.peers)-1); err != nil {
			return err
		}
	}
}

// greet goes on with a handshake, and asks a publisher for everything.
func (p *pump) greet(peer *peer) error {
	var buf [4096]byte
	n, err := rawsock.Read(peer.fd, buf[:])
	if err != nil || n == 0 {
		return err
	}
	send, rest, done, err := peer.shake.Feed(buf[:n])
	if err != nil {
		return err
	}
	if done {
		peer.shake = nil
		if peer.subscriber {
			p.ready = append(p.ready, peer)
		} else {
			send = zmtp.AppendSubscribe(send, "")
			peer.have = copy(peer.buf, rest)
		}
	}
	_, err = rawsock.Write(peer.fd, send)
	return err
}

// drop forgets a connection; what it has not taken is nobody's any more.
func (p *pump) drop(peer *peer) {
	rawsock.Close(peer.fd)
	peer.fd = -1
	if !peer.subscriber {
		p.pubCount--
	}
	for i, s := range p.ready {
		if s == peer {
			p.ready = append(p.ready[:i], p.ready[i+1:]...)
			return
		}
	}
}

// forward reads a piece and hands it to all subscribers.
func (p *pump) forward(from *peer) error {
	n, err := rawsock.Read(from.fd, from.buf[from.have:])
	if err != nil || n == 0 {
		return err
	}
	from.have += n
	whole := from.have
	if p.pubCount > 1 || from.have > n {
		if whole, err = cut(from.buf[:from.have], 0); err != nil {
			return err
		}
	}
	if whole > 0 {
		p.broadcast(from.buf[:whole])
		from.have = copy(from.buf, from.buf[whole:from.have])
	}
	if from.have == len(from.buf) {
		if len(from.buf) >= maxMessage {
			return errFrame
		}
		from.buf = append(from.buf, make([]byte, len(from.buf))...)
	}
	return nil
}

// broadcast writes a piece to every subscriber and returns when all have it.
func (p *pump) broadcast(piece []byte) {
	for _, s := range p.ready {
		s.off = 0
	}
	for {
		p.waiting = p.waiting[:0]
		for i := 0; i < len(p.ready); i++ {
			s := p.ready[i]
			if s.off == len(piece) {
				continue
			}
			n, err := rawsock.Write(s.fd, piece[s.off:])
			if err != nil {
				p.drop(s)
				i--
				continue
			}
			if s.off += n; s.off < len(piece) {
				p.waiting = append(p.waiting, unix.PollFd{Fd: int32(s.fd), Events: unix.POLLOUT})
			}
		}
		if len(p.waiting) == 0 {
			return
		}
		_, _ = unix.Poll(p.waiting, -1) // a failure shows in the next write
	}
}

// swallow reads away what a subscriber sends.
func swallow(fd int) error {
	var buf [4096]byte
	for {
		n, err := rawsock.Read(fd, buf[:])
		if n == 0 || err != nil {
			return err
		}
	}
}
