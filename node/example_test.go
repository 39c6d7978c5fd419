package node_test

import (
	"context"
	"fmt"
	"log"
	"net/netip"
	"time"

	"github.com/znode/znode/codec"
	"github.com/znode/znode/node"
)

// exampleCluster stands for a cluster that is there already: a broker, on ports
// that the kernel chooses. The default options find one at Zeek's own ports.
func exampleCluster() (opt node.Options, stop func()) {
	b := node.DefaultBrokerOptions()
	b.ListenXSUBEndpoint, b.ListenXPUBEndpoint = "tcp://127.0.0.1:*", "tcp://127.0.0.1:*"
	broker, err := node.NewBroker(b)
	if err != nil {
		log.Fatal(err)
	}
	opt = node.DefaultOptions()
	opt.ConnectXPUBEndpoint, opt.ConnectXSUBEndpoint = broker.XSUBEndpoint(), broker.XPUBEndpoint()
	return opt, func() { broker.Close() }
}

// sshLogin is the event SSH::login(host: addr, user: string, ok: bool).
type sshLogin struct {
	Host netip.Addr
	User string
	OK   bool
}

var login = codec.MustEventType[sshLogin]("SSH::login")

// A sensor reacts to an event, and another publishes it.
func Example() {
	opt, stop := exampleCluster()
	defer stop()

	receiver, err := node.New(opt)
	if err != nil {
		log.Fatal(err)
	}
	defer receiver.Close()
	handled := make(chan struct{})
	receiver.Handle(login.Name(), func(e *node.Event) {
		var args sshLogin
		if err := login.Decode(&e.EventView, &args); err != nil {
			log.Print(err)
			return
		}
		fmt.Printf("%s: %s from %s, ok %v\n", e.Topic(), args.User, args.Host, args.OK)
		close(handled)
	})
	active := make(chan struct{})
	if err := receiver.Subscribe("sensors.ssh.", func() { close(active) }); err != nil {
		log.Fatal(err)
	}
	if err := receiver.Start(); err != nil {
		log.Fatal(err)
	}
	<-active

	sensor, err := node.New(opt)
	if err != nil {
		log.Fatal(err)
	}
	defer sensor.Close()
	if err := sensor.Start(); err != nil {
		log.Fatal(err)
	}
	if err := sensor.WaitReady(context.Background()); err != nil { // else the first events find no subscribers
		log.Fatal(err)
	}
	payload, err := login.Append(nil, &sshLogin{netip.MustParseAddr("10.0.0.7"), "root", false})
	if err != nil {
		log.Fatal(err)
	}
	if err := sensor.PublishEncoded("sensors.ssh.login", payload); err != nil {
		log.Fatal(err)
	}
	<-handled
	// Output: sensors.ssh.login: root from 10.0.0.7, ok false
}

// An event is published with arguments of any types that stand for Zeek's.
func ExampleNode_Publish() {
	opt, stop := exampleCluster()
	defer stop()
	n, err := node.New(opt)
	if err != nil {
		log.Fatal(err)
	}
	defer n.Close()
	if err := n.Start(); err != nil {
		log.Fatal(err)
	}
	// Until here the node may not know yet who is subscribed to what.
	if err := n.WaitReady(context.Background()); err != nil {
		log.Fatal(err)
	}
	// event Sensor::reading(name: string, value: double, at: time)
	err = n.Publish("sensors.door", "Sensor::reading", "door-1", 21.5, time.Unix(1700000000, 0))
	fmt.Println(err)
	// Output: <nil>
}

// A log stream is declared once, from a struct, and then written record by
// record. The node batches the records and sends them to the loggers.
func ExampleOpenLog() {
	type reading struct {
		TS    time.Time `zeek:"ts"`
		Name  string    `zeek:"name"`
		Value *float64  `zeek:"value"` // a pointer: unset when nil
	}
	readings := codec.MustLogStream[reading](codec.BatchHeader{Stream: "Sensor::LOG", Path: "sensor"})

	// A logger, for the example a node that prints what it is sent.
	opt := node.DefaultOptions()
	opt.ConnectXPUBEndpoint, opt.ConnectXSUBEndpoint = "", ""
	opt.ListenLogEndpoint = "tcp://127.0.0.1:*"
	logger, err := node.New(opt)
	if err != nil {
		log.Fatal(err)
	}
	defer logger.Close()
	done := make(chan struct{})
	logger.HandleLogs(func(w *node.LogWrite) {
		fmt.Printf("%d records of %s for %s\n", w.NumRecords, w.Stream, w.Path)
		close(done)
	})
	if err := logger.Start(); err != nil {
		log.Fatal(err)
	}

	opt = node.DefaultOptions()
	opt.ConnectXPUBEndpoint, opt.ConnectXSUBEndpoint = "", "" // it only logs
	opt.ConnectLogEndpoints = []string{logger.LogEndpoint()}
	opt.FlushInterval, opt.Linger = 0, -1 // one batch when it closes, however long that takes
	sensor, err := node.New(opt)
	if err != nil {
		log.Fatal(err)
	}
	if err := sensor.Start(); err != nil {
		log.Fatal(err)
	}
	l, err := node.OpenLog(sensor, readings)
	if err != nil {
		log.Fatal(err)
	}
	value := 21.5
	for _, r := range []reading{{time.Now(), "door-1", &value}, {time.Now(), "door-2", nil}} {
		if err := l.Write(&r); err != nil {
			log.Fatal(err)
		}
	}
	sensor.Close() // sends what waits
	<-done
	// Output: 2 records of Sensor::LOG for sensor
}

// A member is one of the cluster's nodes: it greets the others, and learns who
// comes and goes.
func Example_member() {
	opt, stop := exampleCluster()
	defer stop()
	opt.Mode = node.Member
	opt.Layout = node.Layout{
		"manager":  {Type: node.NodeManager},
		"worker-1": {Type: node.NodeWorker},
	}
	done := make(chan struct{})
	join := func(name string, up func(name, id string)) *node.Node {
		o := opt
		o.Node, o.OnNodeUp = name, up
		n, err := node.New(o)
		if err != nil {
			log.Fatal(err)
		}
		if err := n.Start(); err != nil {
			log.Fatal(err)
		}
		return n
	}
	worker := join("worker-1", func(name, id string) {
		fmt.Println("worker-1: node_up", name)
		close(done)
	})
	defer worker.Close()
	manager := join("manager", nil)
	defer manager.Close()
	<-done
	// Output: worker-1: node_up manager
}
