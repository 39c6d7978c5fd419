package codec_test

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/znode/znode/codec"
)

// Look at an event in place: nothing is copied and nothing allocated.
func ExampleEventView() {
	// The fourth frame of an event message, as a Zeek node sends it.
	payload, err := codec.AppendEventArgs(nil, "SSH::login",
		netip.MustParseAddr("10.0.0.1"), "root", uint(3), codec.Enum("SSH::INBOUND"))
	if err != nil {
		fmt.Println(err)
		return
	}

	var ev codec.EventView
	if err := ev.Decode(payload); err != nil {
		fmt.Println(err)
		return
	}
	if string(ev.Name()) != "SSH::login" {
		return
	}
	host, _ := ev.Arg(0).AsAddress()
	tries, isCount := ev.Arg(2).AsCount()
	fmt.Println(host, tries, isCount)
	for arg := range ev.Args() {
		fmt.Println(arg.Kind(), arg)
	}
	// Output:
	// 10.0.0.1 3 true
	// address 10.0.0.1
	// string "root"
	// count 3
	// enum-value SSH::INBOUND
}

// Set Go variables from an event's arguments.
func ExampleEventView_Scan() {
	// The fourth frame of an event message, as a Zeek node sends it.
	payload, err := codec.AppendEventArgs(nil, "SSH::login",
		netip.MustParseAddr("10.0.0.1"), "root", uint(3), codec.Enum("SSH::INBOUND"))
	if err != nil {
		fmt.Println(err)
		return
	}

	var ev codec.EventView
	if err := ev.Decode(payload); err != nil {
		fmt.Println(err)
		return
	}
	var host netip.Addr
	var user string
	err = ev.Scan(&host, &user, nil, nil)
	fmt.Println(host, user, err)

	var tries int // Zeek's int, but the argument is a count
	fmt.Println(ev.Scan(nil, nil, &tries, nil))
	// Output:
	// 10.0.0.1 root <nil>
	// codec: [2]: Go int as Zeek int: count: value does not fit the declared type
}

// Declare an event once, then write and read its arguments as a struct.
func ExampleEventType() {
	type login struct {
		Host  netip.Addr
		User  string
		Tries uint64
		Dir   codec.Enum
	}
	sshLogin, err := codec.NewEventType[login]("SSH::login")
	if err != nil {
		fmt.Println(err) // login has a field that stands for no Zeek type
		return
	}

	buf, err := sshLogin.Append(nil, &login{netip.MustParseAddr("10.0.0.1"), "root", 3, "SSH::INBOUND"})
	if err != nil {
		fmt.Println(err)
		return
	}

	var ev codec.EventView
	var got login
	if err := ev.Decode(buf); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(sshLogin.Decode(&ev, &got), got)
	// Output:
	// <nil> {10.0.0.1 root 3 SSH::INBOUND}
}

// Build an event to publish, value by value.
func ExampleEventBuilder() {
	var b codec.EventBuilder
	b.Start(nil, "Intel::seen")
	b.String("evil.example")
	b.BeginVector() // a record
	b.Address(netip.MustParseAddr("10.0.0.1"))
	b.Port(codec.Port{Num: 53, Proto: codec.ProtoUDP})
	b.End()
	b.BeginSet()
	b.Count(2)
	b.Count(1)
	b.End()
	b.SetTimestamp(time.Unix(1700000000, 0))
	payload, err := b.Finish()
	if err != nil {
		fmt.Println(err)
		return
	}

	var ev codec.EventView
	if err := ev.Decode(payload); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ev.String())
	// Output:
	// Intel::seen("evil.example", [10.0.0.1, 53/udp], {1, 2}) at 2023-11-14T22:13:20Z
}

// Turn an event into JSON and back without looking at its values.
func ExampleConverter() {
	// The fourth frame of an event message, as a Zeek node sends it.
	payload, err := codec.AppendEventArgs(nil, "SSH::login",
		netip.MustParseAddr("10.0.0.1"), "root", uint(3), codec.Enum("SSH::INBOUND"))
	if err != nil {
		fmt.Println(err)
		return
	}

	var c codec.Converter
	text, err := c.AppendJSON(nil, payload)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(text[95:]))

	back, err := c.AppendBin(nil, text)
	fmt.Println(string(back) == string(payload), err)
	// Output:
	// {"@data-type":"vector","data":[{"@data-type":"string","data":"SSH::login"},{"@data-type":"vector","data":[{"@data-type":"address","data":"10.0.0.1"},{"@data-type":"string","data":"root"},{"@data-type":"count","data":3},{"@data-type":"enum-value","data":"SSH::INBOUND"}]}]}]}
	// true <nil>
}

// Declare a log from a struct and fill it.
func ExampleLogStream() {
	type endpoint struct {
		Host netip.Addr `zeek:"h"`
		Port codec.Port `zeek:"p"`
	}
	type login struct {
		TS     time.Time `zeek:"ts"`
		UID    string    `zeek:"uid"`
		Resp   endpoint  `zeek:"resp"` // columns resp.h and resp.p
		User   *string   `zeek:"user"` // a pointer is optional
		Tries  uint64    `zeek:"tries,optional"`
		Groups []string  `zeek:"groups,set"`
	}
	logins, err := codec.NewLogStream[login](codec.BatchHeader{Stream: "Login::LOG", Path: "login"})
	if err != nil {
		fmt.Println(err) // login has a field that Zeek cannot log
		return
	}

	w := logins.NewWriter()
	w.Start(nil)
	rec := login{TS: time.Unix(1700000000, 0), UID: "C1", Groups: []string{"wheel"}}
	fmt.Println(w.Write(&rec))
	rec.Resp = endpoint{netip.MustParseAddr("10.0.0.1"), codec.Port{Num: 22, Proto: codec.ProtoTCP}}
	fmt.Println(w.Write(&rec))
	payload := w.Finish() // the fourth frame of a log-write message

	var batch codec.Batch
	if err := batch.Decode(payload); err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range batch.Fields {
		fmt.Printf("%s:%v ", f.Name, f.Type)
	}
	fmt.Println(batch.NumRecords)
	// Output:
	// codec: Login::LOG: Resp.Host: Go netip.Addr as Zeek addr: invalid netip.Addr: value does not fit the declared type
	// <nil>
	// ts:time uid:string resp.h:addr resp.p:port user:string tries:count groups:table 1
}
