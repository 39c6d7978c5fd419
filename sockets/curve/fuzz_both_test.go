package curve

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/go-zeromq/zmq4"

	"github.com/znode/znode/fuzz/mutate"
	"github.com/znode/znode/sockets"
)

// What a forger does to the data of one command of a handshake.
const (
	forgeFlip = iota
	forgeCut
	forgeInsert
	forgeReplace
	forgeRepeat
	forgeOmit
	forgeKinds
)

// forgery is one change of one command on its way.
type forgery struct {
	command string
	kind    int
	at      int
	with    []byte
}

// apply returns what goes on in the place of a command, nil when nothing comes any
// more.
func (f *forgery) apply(name string, data []byte) (wire []byte) {
	whole := sockets.AppendCommand(nil, name, data)
	if name != f.command {
		return whole
	}
	at := f.at % (len(data) + 1)
	changed := bytes.Clone(data)
	switch f.kind {
	case forgeFlip:
		for i, b := range f.with {
			changed[(at+i)%len(changed)] ^= b
		}
	case forgeCut:
		changed = changed[:at]
	case forgeInsert:
		changed = append(append(changed[:at:at], f.with...), data[at:]...)
	case forgeReplace:
		changed = append([]byte(nil), f.with...)
	case forgeRepeat:
		return append(whole, whole...)
	case forgeOmit:
		return nil
	}
	return sockets.AppendCommand(nil, name, changed)
}

// pass passes on a greeting and two commands, changed, and then everything. It counts
// the commands that went on as they were.
func (f *forgery) pass(from, to net.Conn, same *int) {
	defer from.Close()
	defer to.Close()
	if _, err := io.CopyN(to, from, 64); err != nil {
		return
	}
	for range 2 {
		name, data, err := sockets.ReadCommand(from)
		if err != nil {
			return
		}
		wire := f.apply(name, data)
		if wire == nil {
			return
		}
		if bytes.Equal(wire, sockets.AppendCommand(nil, name, data)) {
			*same++
		}
		if _, err := to.Write(wire); err != nil {
			return
		}
	}
	_, _ = io.Copy(to, from)
}

// FuzzBoth runs whole handshakes of a true client and a true server over net.Pipe,
// between which one command is changed, or which refuse each other. Both succeed
// exactly if nothing is wrong; the server alone succeeds only if the change came
// after all that it reads.
func FuzzBoth(tf *testing.F) {
	f := mutate.From(tf)
	v := loadVectors(f)
	is := v.cast(f)
	commands := []string{cmdHello, cmdWelcome, cmdInitiate, cmdReady}
	for command := range commands {
		for kind := range forgeKinds {
			f.Add(byte(command), byte(kind), uint16(40), []byte{0x80}, byte(0))
		}
		f.Add(byte(command), byte(forgeFlip), uint16(0), []byte{}, byte(command)) // no change
	}
	f.Fuzz(func(t *testing.T, command, kind byte, at uint16, with []byte, refuses byte) {
		forge := &forgery{commands[int(command)%len(commands)], int(kind) % forgeKinds, int(at), with}
		again := v.again(is)
		typ := zmq4.XPub
		if refuses&1 != 0 {
			again.server.authorize = func(Public) (any, bool) { return nil, false }
		}
		if refuses&2 != 0 {
			typ = zmq4.Pull // to which an XSUB does not talk
		}
		server, client := again.server.Mechanism(true), again.client.Mechanism(false)
		a, up := net.Pipe()
		down, b := net.Pipe()
		var fromClient, fromServer int
		var serverErr, clientErr error
		var wg, opened sync.WaitGroup
		wg.Go(func() { forge.pass(down, up, &fromClient) })
		wg.Go(func() { forge.pass(up, down, &fromServer) })
		opened.Go(func() {
			if _, serverErr = zmq4.Open(a, server, typ, nil, true, nil); serverErr != nil {
				a.Close()
			}
		})
		if _, clientErr = zmq4.Open(b, client, zmq4.XSub, nil, false, nil); clientErr != nil {
			b.Close()
		}
		opened.Wait()
		if clientErr == nil && serverErr == nil {
			exchange(t, server.(sockets.FrameCodec), client.(sockets.FrameCodec))
		}
		a.Close()
		b.Close()
		wg.Wait()
		changed := fromClient+fromServer != len(commands)
		late := forge.command == cmdReady || forge.kind == forgeRepeat && forge.command != cmdHello
		switch {
		case clientErr == nil && serverErr != nil:
			t.Fatalf("%+v: the client has a connection, the server %v", *forge, serverErr)
		case clientErr == nil && changed && forge.kind != forgeRepeat:
			t.Fatalf("%+v: the client has a connection", *forge)
		case refuses&3 != 0:
			if clientErr == nil || serverErr == nil {
				t.Fatalf("refused %d: the client has %v, the server %v", refuses&3, clientErr, serverErr)
			}
		case clientErr != nil && !changed:
			t.Fatalf("%+v: the client has %v", *forge, clientErr)
		case serverErr == nil && changed && !late:
			t.Fatalf("%+v: the server has a connection", *forge)
		}
	})
}
