package side

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
)

// freeAddrs returns so many loopback addresses with ports that nobody uses now.
// Connections made on the loopback have 127.0.0.1 at their own end, so none takes one
// of them meanwhile.
func freeAddrs(n int) (addrs []string, err error) {
	for range n {
		l, err := net.Listen("tcp4", "127.0.0.2:0")
		if err != nil {
			return nil, fmt.Errorf("free port: %w", err)
		}
		defer l.Close()
		addrs = append(addrs, l.Addr().String())
	}
	return addrs, nil
}

// listening reports whether all addresses are listened on. It asks the kernel:
// a connection would be noticed by the broker.
func listening(addrs ...string) (bool, error) {
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return false, err
	}
	for _, addr := range addrs {
		ok, err := listed(string(table), addr)
		if err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// listed looks for a listener on a loopback port in the kernel's table: the
// port is in hexadecimal, 0A is the state LISTEN.
func listed(table, addr string) (bool, error) {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return false, err
	}
	port := fmt.Sprintf(":%04X", ap.Port())
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) > 3 && strings.HasSuffix(f[1], port) && f[3] == "0A" {
			return true, nil
		}
	}
	return false, nil
}
