package option

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// listenEndpoint is the kind of a place to listen at. Port 0, or *, lets the
// kernel choose.
var listenEndpoint = NewKind("ENDPOINT", "tcp://HOST:PORT or ipc://PATH", func(text string) (string, error) {
	return text, checkEndpoint(text)
}, verbatim)

// connectEndpoint is the kind of a place to connect to.
var connectEndpoint = NewKind("ENDPOINT", "tcp://HOST:PORT or ipc://PATH", func(text string) (string, error) {
	return text, checkConnect(text)
}, verbatim)

// maxEndpoints bounds a list of endpoints.
const maxEndpoints = 1000

// connectEndpoints is the kind of a []string of places to connect to, written
// with commas between them or, in the file, as an array. Empty is none.
var connectEndpoints = func() Kind {
	k := NewKind("ENDPOINTS", "tcp://HOST:PORT or ipc://PATH, or several with commas between them",
		func(text string) ([]string, error) {
			if text == "" {
				return nil, nil
			}
			return checkConnects(strings.Split(text, ","))
		},
		func(list []string) string { return strings.Join(list, ",") })
	k.Empty = true
	k.FromTree = func(dst, tree any) error {
		array, ok := tree.([]any)
		if !ok {
			return errWant
		}
		list := make([]string, 0, len(array))
		for _, element := range array {
			text, ok := element.(string)
			if !ok {
				return errors.New("of what is no text")
			}
			list = append(list, text)
		}
		list, err := checkConnects(list)
		if err == nil {
			*dst.(*[]string) = list
		}
		return err
	}
	return k
}()

func checkConnects(list []string) ([]string, error) {
	if len(list) > maxEndpoints {
		return nil, fmt.Errorf("more than %d endpoints", maxEndpoints)
	}
	for i, text := range list {
		list[i] = strings.TrimSpace(text)
		if err := checkConnect(list[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// checkConnect is checkEndpoint for a place that somebody listens at.
func checkConnect(text string) error {
	if err := checkEndpoint(text); err != nil {
		return err
	}
	if address, ok := strings.CutPrefix(text, "tcp://"); ok {
		host, port, _ := splitAddress(address)
		switch {
		case host == "*":
			return errors.New("* is no host to connect to")
		case port == "*" || strings.Trim(port, "0") == "":
			return fmt.Errorf("port %s is none to connect to", port)
		}
	}
	return nil
}

// maxSocketPath is what sun_path of unix(7) holds on every system, without its
// final NUL.
const maxSocketPath = 103

// checkEndpoint tells what is wrong with text as an endpoint. Only the form is
// checked: an address of another machine passes.
func checkEndpoint(text string) error {
	transport, address, ok := strings.Cut(text, "://")
	if !ok {
		return errWant
	}
	switch transport {
	case "tcp":
		host, port, err := splitAddress(address)
		if err != nil {
			return err
		}
		if host != "*" {
			err = checkHost(host)
		}
		if err == nil && port != "*" {
			err = checkPort(port)
		}
		return err
	case "ipc":
		switch {
		case address == "":
			return errors.New("no path")
		case address == "*":
			return errors.New("a path is needed, there is no wildcard")
		case len(address) > maxSocketPath:
			return fmt.Errorf("path is longer than %d bytes", maxSocketPath)
		case strings.ContainsRune(address, 0):
			return errors.New("NUL in path")
		}
		return nil
	}
	return fmt.Errorf("unknown transport %s", Quote(transport))
}

// splitAddress cuts at the last colon that is not inside of brackets.
func splitAddress(address string) (host, port string, err error) {
	colon := strings.LastIndexByte(address, ':')
	if colon < strings.LastIndexByte(address, ']') || colon < 0 {
		return "", "", errors.New("no port")
	}
	return address[:colon], address[colon+1:], nil
}

// checkHost takes an IPv4 address, an IPv6 address in brackets, or a name.
func checkHost(host string) error {
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, closed := strings.CutSuffix(inner, "]")
		ip, err := netip.ParseAddr(inner)
		if !closed || err != nil || !ip.Is6() {
			return fmt.Errorf("host %s is not an IPv6 address in brackets", Quote(host))
		}
		if strings.ContainsFunc(ip.Zone(), func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune("%/[]", c) }) {
			return fmt.Errorf("host %s has a zone that is no interface's name", Quote(host))
		}
		return nil
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case err == nil && ip.Is6():
		return fmt.Errorf("IPv6 address %s needs brackets", Quote(host))
	case err == nil:
		return nil
	case host == "":
		return errors.New("no host")
	case !isHostName(host):
		return fmt.Errorf("host %s is no name or address", Quote(host))
	}
	return nil
}

const maxHostName = 253

// isHostName takes names as in RFC 1123, and '_' as many networks do. A last
// label of digits only is a mistyped address: no top-level domain is a number.
func isHostName(host string) bool {
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	for _, label := range labels {
		if label == "" || strings.ContainsFunc(label, func(c rune) bool { return !isNameByte(c) || c == '.' }) {
			return false
		}
	}
	last := labels[len(labels)-1]
	return len(host) <= maxHostName && strings.Trim(last, "0123456789") != ""
}

// isNameByte tells whether c may stand in the name of a host or node.
func isNameByte(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '-' || c == '_' || c == '.'
}

// checkPort takes decimal digits only; net.Listen would also take names.
func checkPort(port string) error {
	if port == "" {
		return errors.New("no port")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("port %s is not a number from 0 to 65535", Quote(port))
	}
	return nil
}

// httpAddress is the kind of a host:port to serve HTTP at; empty is for not at
// all. Host may be a name, or empty for all addresses.
var httpAddress = func() Kind {
	k := NewKind("HOST:PORT", "HOST:PORT, or nothing to switch it off", func(text string) (string, error) {
		return text, checkHTTPAddress(text)
	}, verbatim)
	k.Empty = true
	return k
}()

func checkHTTPAddress(text string) error {
	if text == "" {
		return nil
	}
	if strings.Contains(text, "://") {
		return errors.New("no scheme is taken")
	}
	host, port, err := splitAddress(text)
	if err != nil {
		return err
	}
	if host != "" {
		err = checkHost(host)
	}
	if err == nil {
		err = checkPort(port)
	}
	return err
}
