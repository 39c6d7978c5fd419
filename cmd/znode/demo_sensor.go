package main

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/node"
	"github.com/znode/znode/sockets"
)

// A sensor of the demo does what a Zeek worker does, many times a second: it
// subscribes, publishes events, and logs connections.
const (
	sensorTick    = 50 * time.Millisecond
	sensorEvents  = 250 // per tick
	sensorRecords = 100 // per tick
	demoTopic     = "zeek.demo.sensor"
	logWrite      = "log-write" // the first frame of a log batch
	logSerializer = "zeek-bin-serializer"
)

// connection is a record of the demo's log, a short form of Zeek's conn.log.
type connection struct {
	TS       time.Time     `zeek:"ts"`
	UID      string        `zeek:"uid"`
	ID       connID        `zeek:"id"`
	Proto    codec.Enum    `zeek:"proto"`
	Service  *string       `zeek:"service"`
	Duration time.Duration `zeek:"duration"`
	OrigB    uint64        `zeek:"orig_bytes"`
	RespB    uint64        `zeek:"resp_bytes"`
	State    string        `zeek:"conn_state"`
	Sensor   string        `zeek:"peer_descr"`
}

type connID struct {
	OrigH netip.Addr `zeek:"orig_h"`
	OrigP codec.Port `zeek:"orig_p"`
	RespH netip.Addr `zeek:"resp_h"`
	RespP codec.Port `zeek:"resp_p"`
}

var demoStream = codec.MustLogStream[connection](codec.BatchHeader{Stream: "Demo::CONN_LOG", Path: "demo_conn"})

type sensor struct {
	name, id string
	xpub     *sockets.XPUB
	xsub     *sockets.XSUB
	push     *sockets.PUSH
	rnd      *rand.Rand
	quit     chan struct{}
	wg       sync.WaitGroup

	received atomic.Uint64
	dropped  atomic.Uint64
}

func startSensor(number int, broker *node.Broker, logger *node.Logger) (*sensor, error) {
	s := &sensor{
		name: fmt.Sprintf("sensor-%d", number),
		rnd:  rand.New(rand.NewPCG(1, uint64(number))),
		quit: make(chan struct{}),
	}
	s.id = fmt.Sprintf("znode_%s_demo", s.name)
	opt := sockets.DefaultOptions()
	opt.NoDrop, opt.Linger = true, node.DefaultLinger
	var err error
	if s.xpub, err = sockets.NewXPUB(opt, nil); err == nil {
		if s.xsub, err = sockets.NewXSUB(opt, func(b sockets.Batch) { s.received.Add(uint64(b.Len())) }); err == nil {
			s.push, err = sockets.NewPUSH(opt)
		}
	}
	if err == nil {
		err = s.connect(broker, logger)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	s.wg.Go(s.work)
	return s, nil
}

func (s *sensor) connect(broker *node.Broker, logger *node.Logger) error {
	s.xsub.Subscribe([]byte(demoTopic))
	if err := s.xsub.Connect(broker.XPUBEndpoint()); err != nil {
		return err
	}
	if err := s.xpub.Connect(broker.XSUBEndpoint()); err != nil {
		return err
	}
	return s.push.Connect(logger.Endpoint())
}

// stop ends the sensor's work, then closes what it sends with before what it
// receives with.
func (s *sensor) stop() error {
	close(s.quit)
	s.wg.Wait()
	s.push.Close()
	s.xpub.Close()
	return s.xsub.Close()
}

// work is the sensor's goroutine.
func (s *sensor) work() {
	tick := time.NewTicker(sensorTick)
	defer tick.Stop()
	log := demoStream.NewWriter()
	var build codec.EventBuilder
	var event, batch []byte
	for {
		select {
		case <-s.quit:
			return
		case now := <-tick.C:
			for i := range sensorEvents {
				event = s.event(&build, event[:0], now, i)
				s.count(s.xpub.Publish([]byte(demoTopic), []byte(s.id), []byte(codec.BrokerBinV1), event))
			}
			batch = s.batch(log, batch[:0], now)
			s.count(s.push.Send([]byte(logWrite), []byte(s.id), []byte(logSerializer), batch))
		}
	}
}

func (s *sensor) count(err error) {
	if err != nil {
		s.dropped.Add(1)
	}
}

func (s *sensor) event(b *codec.EventBuilder, dst []byte, now time.Time, i int) []byte {
	b.Start(dst, "Demo::measurement")
	b.SetTimestamp(now)
	b.String(s.name)
	b.Count(uint64(i))
	b.Real(s.rnd.Float64())
	payload, err := b.Finish()
	if err != nil {
		panic("znode demo: internal error: " + err.Error())
	}
	return payload
}

func (s *sensor) batch(w *codec.LogWriter[connection], dst []byte, now time.Time) []byte {
	w.Start(dst)
	http := "http"
	for range sensorRecords {
		rec := connection{
			TS:  now,
			UID: fmt.Sprintf("C%016x", s.rnd.Uint64()),
			ID: connID{
				OrigH: netip.AddrFrom4([4]byte{10, 0, byte(s.rnd.Uint32()), byte(s.rnd.Uint32())}),
				OrigP: codec.Port{Num: uint16(s.rnd.Uint32() | 1024), Proto: codec.ProtoTCP},
				RespH: netip.AddrFrom4([4]byte{192, 168, 1, byte(s.rnd.Uint32())}),
				RespP: codec.Port{Num: 80, Proto: codec.ProtoTCP},
			},
			Proto:    "tcp",
			Duration: time.Duration(s.rnd.Int64N(int64(time.Minute))),
			OrigB:    s.rnd.Uint64N(1 << 16),
			RespB:    s.rnd.Uint64N(1 << 24),
			State:    "SF",
			Sensor:   s.name,
		}
		if s.rnd.IntN(2) == 0 {
			rec.Service = &http
		}
		if err := w.Write(&rec); err != nil {
			panic("znode demo: internal error: " + err.Error())
		}
	}
	return w.Finish()
}
