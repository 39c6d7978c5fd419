package sockets

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// maxUnixPath is what fits into sockaddr_un on every system we build for, with
// its terminating zero.
const maxUnixPath = 103

// Endpoint is a parsed ZeroMQ endpoint.
type Endpoint struct {
	// Network is "tcp", or "unix" for an ipc endpoint.
	Network string
	// Host is a host name, an IP address without brackets, or "*" for every
	// local address; the path for "unix".
	Host string
	// Port is 0 to 65535, where 0 (also written "*") lets the kernel choose;
	// 0 for "unix".
	Port uint16
}

// ParseEndpoint parses "tcp://host:port" and "ipc://path". The host is a name,
// an IPv4 address, an IPv6 address in brackets, or "*"; the port a number or "*".
// The error names the endpoint and what is wrong with it.
func ParseEndpoint(s string) (Endpoint, error) {
	scheme, rest, ok := strings.Cut(s, "://")
	switch {
	case !ok:
		return Endpoint{}, fmt.Errorf("endpoint %q: want tcp://host:port or ipc://path", s)
	case scheme == "ipc":
		return parseIPC(s, rest)
	case scheme != "tcp":
		return Endpoint{}, fmt.Errorf("endpoint %q: unknown transport %q, want tcp or ipc", s, scheme)
	}
	host, portText, err := net.SplitHostPort(rest)
	if err != nil {
		return Endpoint{}, fmt.Errorf("endpoint %q: want tcp://host:port, with an IPv6 address in brackets", s)
	}
	e := Endpoint{Network: "tcp", Host: host}
	if portText != "*" {
		port, err := strconv.ParseUint(portText, 10, 16)
		if err != nil {
			return Endpoint{}, fmt.Errorf("endpoint %q: port %q is not a number from 0 to 65535", s, portText)
		}
		e.Port = uint16(port)
	}
	if err := checkHost(host, strings.HasPrefix(rest, "[")); err != nil {
		return Endpoint{}, fmt.Errorf("endpoint %q: %w", s, err)
	}
	return e, nil
}

func parseIPC(s, path string) (Endpoint, error) {
	switch {
	case path == "":
		return Endpoint{}, fmt.Errorf("endpoint %q: the path is empty", s)
	case path == "*":
		return Endpoint{}, fmt.Errorf("endpoint %q: a path is needed, there is no wildcard", s)
	case len(path) > maxUnixPath:
		return Endpoint{}, fmt.Errorf("endpoint %q: the path has %d bytes, at most %d fit", s, len(path), maxUnixPath)
	case strings.IndexByte(path, 0) >= 0:
		return Endpoint{}, fmt.Errorf("endpoint %q: the path contains a NUL byte", s)
	}
	return Endpoint{Network: "unix", Host: path}, nil
}

func checkHost(host string, bracketed bool) error {
	if host == "*" && !bracketed {
		return nil
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return checkZone(ip.Zone())
	}
	if bracketed {
		return fmt.Errorf("%q is not an IPv6 address", host)
	}
	if host == "" || len(host) > 253 {
		return fmt.Errorf("host %q is empty or too long", host)
	}
	for _, c := range []byte(host) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_':
		default:
			return fmt.Errorf("host %q holds %q, which no host name does", host, c)
		}
	}
	return nil
}

// checkZone takes the names of interfaces. netip takes anything for a zone, control
// bytes and brackets too.
func checkZone(zone string) error {
	for _, c := range []byte(zone) {
		if c <= ' ' || c > '~' || strings.IndexByte("%/[]", c) >= 0 {
			return fmt.Errorf("zone %q holds %q, which no interface's name does", zone, c)
		}
	}
	return nil
}

// String returns the endpoint as ParseEndpoint reads it.
func (e Endpoint) String() string {
	if e.Network == "unix" {
		return "ipc://" + e.Host
	}
	host := e.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return "tcp://" + host + ":" + strconv.Itoa(int(e.Port))
}
