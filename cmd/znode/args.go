package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/znode/znode/cmd/znode/internal/option"
	"github.com/znode/znode/codec"
)

// argTypes reads an argument of znode pub behind its type and a colon. The types
// are Zeek's, with the names of broker-json-v1 where those differ.
var argTypes = map[string]func(text string) (codec.Data, error){
	"bool":     parseBool,
	"count":    parseCount,
	"int":      parseInt,
	"integer":  parseInt,
	"double":   parseReal,
	"real":     parseReal,
	"string":   func(s string) (codec.Data, error) { return codec.StringData(s), nil },
	"enum":     func(s string) (codec.Data, error) { return codec.EnumData(s), nil },
	"addr":     parseAddr,
	"address":  parseAddr,
	"subnet":   parseSubnet,
	"port":     parsePort,
	"time":     parseTime,
	"interval": parseInterval,
	"json":     func(s string) (codec.Data, error) { return parseBrokerJSON([]byte(s)) },
}

// maxArgFile bounds a file with an argument.
const maxArgFile = 64 << 20

// parseArg reads an argument: type:value, "text" in quotes, @file in
// broker-json-v1, none, or plain text that looks like nothing else.
func parseArg(arg string) (codec.Data, error) {
	if path, ok := strings.CutPrefix(arg, "@"); ok {
		return parseArgFile(path)
	}
	if strings.HasPrefix(arg, `"`) {
		text, err := strconv.Unquote(arg)
		if err != nil {
			return codec.Data{}, fmt.Errorf("argument %s: quotes do not fit together, or an escape is unknown", option.Printable(arg))
		}
		return codec.StringData(text), nil
	}
	if arg == "none" {
		return codec.Data{}, nil
	}
	name, text, typed := strings.Cut(arg, ":")
	if parse := argTypes[name]; typed && parse != nil {
		d, err := parse(text)
		if err != nil {
			return d, fmt.Errorf("argument %s: %w", option.Printable(arg), err)
		}
		return d, nil
	}
	return codec.StringData(arg), looksTyped(arg, name, typed)
}

// looksTyped refuses text that may have been meant as a value of another type.
func looksTyped(arg, name string, typed bool) error {
	var types []string
	for _, t := range []string{"count", "int", "double", "bool", "addr", "subnet", "port"} {
		if _, err := argTypes[t](arg); err == nil {
			types = append(types, t+":"+arg)
		}
	}
	switch {
	case len(types) > 0:
		return fmt.Errorf("argument %s: write %s or string:%s", option.Printable(arg), strings.Join(types, ", "), arg)
	case !typed:
		return nil
	}
	hint := "want one of " + strings.Join(slices.Sorted(maps.Keys(argTypes)), ", ")
	if n := option.Nearest(name, slices.Sorted(maps.Keys(argTypes))); n != "" {
		hint = "did you mean " + n + ":?"
	}
	return fmt.Errorf("argument %s: %s is no type, %s; text with a colon is string:TEXT", option.Printable(arg), option.Printable(name), hint)
}

func parseArgFile(path string) (codec.Data, error) {
	file, err := os.Open(path)
	if err != nil {
		return codec.Data{}, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxArgFile+1))
	if err != nil {
		return codec.Data{}, err
	}
	if len(text) > maxArgFile {
		return codec.Data{}, fmt.Errorf("%s: more than %d bytes", path, maxArgFile)
	}
	d, err := parseBrokerJSON(text)
	if err != nil {
		return d, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

func parseBrokerJSON(text []byte) (codec.Data, error) {
	var c codec.Converter
	bin, err := c.AppendBin(nil, text)
	if err != nil {
		return codec.Data{}, err
	}
	view, err := codec.DecodeData(bin)
	if err != nil {
		return codec.Data{}, err
	}
	return view.Data(), nil
}

func parseBool(text string) (codec.Data, error) {
	switch text {
	case "T", "true":
		return codec.BoolData(true), nil
	case "F", "false":
		return codec.BoolData(false), nil
	}
	return codec.Data{}, errors.New("want T or F")
}

func parseCount(text string) (codec.Data, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return codec.Data{}, errors.New("want a whole number from 0 to 18446744073709551615")
	}
	return codec.CountData(n), nil
}

func parseInt(text string) (codec.Data, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return codec.Data{}, errors.New("want a whole number of 64 bits")
	}
	return codec.IntegerData(n), nil
}

func parseReal(text string) (codec.Data, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return codec.Data{}, errors.New("want a number")
	}
	return codec.RealData(f), nil
}

func parseAddr(text string) (codec.Data, error) {
	ip, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil || ip.Zone() != "" {
		return codec.Data{}, errors.New("want an IPv4 or IPv6 address")
	}
	return codec.AddressData(ip), nil
}

func parseSubnet(text string) (codec.Data, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return codec.Data{}, errors.New("want an address and a length, such as 10.0.0.0/8")
	}
	return codec.SubnetData(p), nil
}

var protocols = map[string]codec.Proto{
	"tcp": codec.ProtoTCP, "udp": codec.ProtoUDP, "icmp": codec.ProtoICMP, "unknown": codec.ProtoUnknown,
}

func parsePort(text string) (codec.Data, error) {
	number, name, _ := strings.Cut(text, "/")
	n, err := strconv.ParseUint(number, 10, 16)
	proto, ok := protocols[name]
	if err != nil || !ok {
		return codec.Data{}, errors.New("want a number up to 65535 and a protocol, such as 80/tcp")
	}
	return codec.PortData(codec.Port{Num: uint16(n), Proto: proto}), nil
}

func parseTime(text string) (codec.Data, error) {
	if text == "now" {
		return codec.TimestampData(time.Now()), nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return codec.Data{}, errors.New("want a time such as 2026-01-31T12:00:00Z, or now")
	}
	return codec.TimestampData(t), nil
}

func parseInterval(text string) (codec.Data, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return codec.Data{}, errors.New("want a length of time such as 1.5s or 2h")
	}
	return codec.TimespanData(d), nil
}
