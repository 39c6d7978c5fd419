package node

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/curve"
)

// CurveServerOptions configures a [CurveServer].
type CurveServerOptions struct {
	// Node is the value of the metrics' label "node".
	Node string
	// Secret is the server's secret key, of which a copy is kept, and Public the
	// key that clients know; it may be left out.
	Secret curve.Secret
	Public curve.Public
	// Clients are those who may enter; without any nobody may.
	Clients []ClientRights
	// Log is told who wanted what it may not; nil discards that.
	Log *slog.Logger
}

// CurveServer is what makes brokers and loggers servers of ZMTP's CURVE
// mechanism: their key pair, and the clients that may enter, with their rights.
// It may serve several of them, and its methods may be called by any goroutine.
//
// A client is known by its key alone. The sender in an event, and the node that a
// subscription speaks of, are what the client says they are.
type CurveServer struct {
	node   string
	log    *slog.Logger
	broker *curve.Server // takes all clients
	logger *curve.Server // takes those that may log

	mu      sync.Mutex // orders SetClients
	clients atomic.Pointer[map[curve.Public]*client]
}

// NewCurveServer checks the options. Errors show no secret.
func NewCurveServer(opt CurveServerOptions) (*CurveServer, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	s := &CurveServer{node: opt.Node, log: opt.Log}
	s.clients.Store(&map[curve.Public]*client{})
	if err := s.SetClients(opt.Clients); err != nil {
		return nil, err
	}
	var err error
	server := curve.ServerOptions{Secret: opt.Secret, Public: opt.Public, Authorize: s.authorize}
	if s.broker, err = curve.NewServer(server); err == nil {
		server.Authorize = s.authorizeLog
		s.logger, err = curve.NewServer(server)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Public returns the key that clients must know.
func (s *CurveServer) Public() curve.Public { return s.broker.Public() }

// SetClients replaces the list of clients; an error changes nothing. New
// connections and events are judged by the new list at once. What there is already
// is judged again by [Broker.Rejudge] and [sockets.PULL]'s Readmit.
func (s *CurveServer) SetClients(list []ClientRights) error {
	if err := validateClients(list); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before := *s.clients.Load()
	after := make(map[curve.Public]*client, len(list))
	for i := range list {
		key := list[i].Key
		c := before[key]
		if c == nil {
			c = newClient(s.log)
		}
		c.rights.Store(list[i].compile())
		after[key] = c
	}
	s.clients.Store(&after)
	for key, c := range before {
		if after[key] == nil {
			c.rights.Store(nil)
		}
	}
	return nil
}

// authorize is asked about the key of a client that connects to a broker.
func (s *CurveServer) authorize(key curve.Public) (identity any, ok bool) {
	c, ok := (*s.clients.Load())[key]
	return c, ok
}

// authorizeLog is asked about the key of a client that connects to a logger.
func (s *CurveServer) authorizeLog(key curve.Public) (identity any, ok bool) {
	c, ok := (*s.clients.Load())[key]
	if ok && !c.may().log {
		if log := c.refuse(refusedLog, 1, nil, ""); log != nil {
			log()
		}
		return nil, false
	}
	return c, ok
}

// SecureLogger makes a logger with these options take only clients that may log.
func (s *CurveServer) SecureLogger(o *LoggerOptions) { s.secureLog(&o.PULL) }

func (s *CurveServer) secureLog(o *sockets.Options) {
	o.Mechanism = s.logger.Mechanism
	o.Admit = func(p *sockets.Peer) bool { return clientOf(p).may().log }
}

// validateClients finds what is wrong with a list of clients.
func validateClients(list []ClientRights) error {
	names := make(map[string]bool, len(list))
	keys := make(map[curve.Public]string, len(list))
	for i := range list {
		c := &list[i]
		if c.Name == "" {
			return fmt.Errorf("client %d: no name", i+1)
		}
		other, twice := keys[c.Key]
		switch {
		case c.Key.IsZero():
			return fmt.Errorf("client %q: no public key", c.Name)
		case names[c.Name]:
			return fmt.Errorf("client %q: two clients have this name", c.Name)
		case twice:
			return fmt.Errorf("client %q: has the public key of client %q too", c.Name, other)
		}
		names[c.Name], keys[c.Key] = true, c.Name
	}
	return nil
}

// SecureClient makes a node with these options a client of ZMTP's CURVE
// mechanism: of the broker and of all loggers, which share one server key. Where
// it takes logs itself it has to be a server, which Options.LogCurve makes it.
func SecureClient(o *Options, keys curve.ClientOptions) error {
	if o.ListenLogEndpoint != "" && o.LogCurve == nil {
		return errors.New("listen_log_endpoint: a CURVE client cannot take logs without LogCurve, its server's keys")
	}
	c, err := curve.NewClient(keys)
	if err != nil {
		return err
	}
	o.Sockets.Mechanism = c.Mechanism
	return nil
}
