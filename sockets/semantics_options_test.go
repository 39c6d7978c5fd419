package sockets_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/znode/znode/sockets"
)

func TestOptionsValidate(t *testing.T) {
	t.Parallel()
	o := sockets.DefaultOptions()
	if err := o.Validate(); err != nil {
		t.Fatalf("the defaults: %v", err)
	}
	for name, change := range map[string]func(*sockets.Options){
		"SndHWM":               func(o *sockets.Options) { o.SndHWM = -1 },
		"RcvHWM":               func(o *sockets.Options) { o.RcvHWM = -1 },
		"QueueBytes":           func(o *sockets.Options) { o.QueueBytes = -1 },
		"SndBuf":               func(o *sockets.Options) { o.SndBuf = -2 },
		"RcvBuf":               func(o *sockets.Options) { o.RcvBuf = -2 },
		"MaxMessageSize":       func(o *sockets.Options) { o.MaxMessageSize = 0 },
		"MaxConnections":       func(o *sockets.Options) { o.MaxConnections = 0 },
		"HandshakeTimeout":     func(o *sockets.Options) { o.HandshakeTimeout = 0 },
		"MaxSubscriptions":     func(o *sockets.Options) { o.MaxSubscriptions = 0 },
		"MaxSubscriptionBytes": func(o *sockets.Options) { o.MaxSubscriptionBytes = 0 },
		"ReconnectInterval":    func(o *sockets.Options) { o.ReconnectInterval = -time.Second },
		"HeartbeatInterval":    func(o *sockets.Options) { o.HeartbeatInterval = -time.Second },
		"HeartbeatTimeout":     func(o *sockets.Options) { o.HeartbeatTimeout = -time.Second },
		"KeepAlive":            func(o *sockets.Options) { o.KeepAlive = -time.Second },
		"UserTimeout":          func(o *sockets.Options) { o.UserTimeout = -time.Second },
	} {
		o := sockets.DefaultOptions()
		change(&o)
		errs := []error{o.Validate()}
		_, err := sockets.NewXPUB(o, nil)
		errs = append(errs, err)
		_, err = sockets.NewXSUB(o, nil)
		errs = append(errs, err)
		_, err = sockets.NewPUSH(o)
		errs = append(errs, err)
		_, err = sockets.NewPULL(o, nil)
		errs = append(errs, err)
		for _, err := range errs {
			if err == nil || !strings.Contains(err.Error(), "option "+name+" is") {
				t.Errorf("%s out of its bounds: %v", name, err)
			}
		}
	}
	if math.MaxInt > math.MaxInt32 {
		o.MaxMessageSize = math.MaxInt
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), "MaxMessageSize") {
			t.Errorf("a message size of %d: %v", o.MaxMessageSize, err)
		}
	}
	// What the bounds say is allowed.
	o = sockets.DefaultOptions()
	o.SndHWM, o.RcvHWM, o.QueueBytes, o.SndBuf, o.RcvBuf, o.KeepAlive, o.UserTimeout = 0, 0, 0, 0, 0, 0, 0
	o.MaxMessageSize, o.MaxConnections, o.MaxSubscriptions, o.MaxSubscriptionBytes = 1, 1, 1, 1
	o.HandshakeTimeout, o.ReconnectInterval, o.Linger, o.SlowGrace = 1, 1, -1, -1
	if err := o.Validate(); err != nil {
		t.Error(err)
	}
}

// TestKernelOptions: with all options of the kernel set a connection works as
// without them.
func TestKernelOptions(t *testing.T) {
	t.Parallel()
	change := func(o *sockets.Options) {
		o.SndBuf, o.RcvBuf, o.KeepAlive, o.UserTimeout = 64<<10, 64<<10, 20*time.Second, 40*time.Second
	}
	pull, in := newPULL(t, change)
	push := newPUSH(t, change)
	if pull.Type() != zmq4.Pull || push.Type() != zmq4.Push {
		t.Errorf("types %s and %s", pull.Type(), push.Type())
	}
	connect(t, push, bind(t, pull, anyPort))
	for i := range 500 {
		if err := push.SendContext(t.Context(), numbered("t", i, 5000)...); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 500 {
		sameFrames(t, in.take(t), numbered("t", i, 5000))
	}
}
