package curve_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"

	"github.com/go-zeromq/zmq4"

	"github.com/znode/znode/sockets"
	"github.com/znode/znode/sockets/curve"
)

// The mechanism with this module's sockets: a PULL that lets in one sensor and
// knows it by name.
func ExampleServer() {
	serverPublic, serverSecret, err := curve.Generate()
	if err != nil {
		log.Fatal(err)
	}
	sensorPublic, sensorSecret, err := curve.Generate()
	if err != nil {
		log.Fatal(err)
	}
	names := map[curve.Public]string{sensorPublic: "sensor-7"}

	server, err := curve.NewServer(curve.ServerOptions{
		Secret: serverSecret,
		Authorize: func(client curve.Public) (any, bool) {
			name, ok := names[client]
			return name, ok
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	client, err := curve.NewClient(curve.ClientOptions{Server: serverPublic, Secret: sensorSecret})
	if err != nil {
		log.Fatal(err)
	}

	done := make(chan struct{})
	opt := sockets.DefaultOptions()
	opt.Mechanism = server.Mechanism
	pull, err := sockets.NewPULL(opt, func(b sockets.Batch) {
		for m := range b.Messages() {
			fmt.Printf("%v: %s\n", b.Peer().Identity(), m.First())
		}
		close(done)
	})
	if err != nil {
		log.Fatal(err)
	}
	defer pull.Close()
	endpoint, err := pull.Bind("tcp://127.0.0.1:*")
	if err != nil {
		log.Fatal(err)
	}

	opt.Mechanism = client.Mechanism
	push, err := sockets.NewPUSH(opt)
	if err != nil {
		log.Fatal(err)
	}
	defer push.Close()
	if err := push.Connect(endpoint); err != nil {
		log.Fatal(err)
	}
	if err := push.Send([]byte("hello")); err != nil {
		log.Fatal(err)
	}
	<-done
	// Output: sensor-7: hello
}

// Code that frames for itself: zmq4.Open runs the handshake, then every frame goes
// through the mechanism's Seal and Open, flags included.
func Example() {
	public, secret, err := curve.Generate()
	if err != nil {
		log.Fatal(err)
	}
	_, clientSecret, err := curve.Generate()
	if err != nil {
		log.Fatal(err)
	}
	server, err := curve.NewServer(curve.ServerOptions{
		Secret:    secret,
		Authorize: func(client curve.Public) (any, bool) { return nil, true }, // everybody
	})
	if err != nil {
		log.Fatal(err)
	}
	client, err := curve.NewClient(curve.ClientOptions{Server: public, Secret: clientSecret})
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer listener.Close()

	sent := make(chan error, 1)
	go func() { sent <- send(listener.Addr().String(), client.Mechanism(false), "event", "payload") }()

	nc, err := listener.Accept()
	if err != nil {
		log.Fatal(err)
	}
	defer nc.Close()
	mechanism := server.Mechanism(true) // of this one connection
	if _, err := zmq4.Open(nc, mechanism, zmq4.Pull, nil, true, nil); err != nil {
		log.Fatal(err)
	}
	codec := mechanism.(sockets.FrameCodec)
	for more := true; more; {
		flags, sealed, err := readFrame(nc)
		if err != nil {
			log.Fatal(err)
		}
		plainFlags, body, err := codec.Open(flags, sealed)
		if err != nil {
			log.Fatal(err)
		}
		more = plainFlags&1 != 0
		fmt.Printf("%s, more %v\n", body, more)
	}
	if err := <-sent; err != nil {
		log.Fatal(err)
	}
	// Output:
	// event, more true
	// payload, more false
}

// send connects as a PUSH and sends one message.
func send(address string, mechanism zmq4.Security, frames ...string) error {
	nc, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer nc.Close()
	if _, err := zmq4.Open(nc, mechanism, zmq4.Push, nil, false, nil); err != nil {
		return err
	}
	codec := mechanism.(sockets.FrameCodec)
	var wire []byte
	for i, frame := range frames {
		var flags byte
		if i < len(frames)-1 {
			flags = 1 // MORE
		}
		if wire, err = codec.Seal(wire, flags, []byte(frame)); err != nil {
			return err
		}
	}
	_, err = nc.Write(wire)
	return err
}

// readFrame reads one ZMTP frame. Code for a network would bound its size.
func readFrame(r io.Reader) (flags byte, body []byte, err error) {
	head := make([]byte, 9)
	if _, err := io.ReadFull(r, head[:2]); err != nil {
		return 0, nil, err
	}
	size := uint64(head[1])
	if head[0]&2 != 0 { // LONG
		if _, err := io.ReadFull(r, head[2:]); err != nil {
			return 0, nil, err
		}
		size = binary.BigEndian.Uint64(head[1:])
	}
	body = make([]byte, size)
	_, err = io.ReadFull(r, body)
	return head[0], body, err
}
