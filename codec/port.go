package codec

import "strconv"

// Proto is the transport protocol of a [Port], numbered as on the wire in log
// batches and in events.
type Proto uint8

// The transport protocols that Zeek knows.
const (
	ProtoUnknown Proto = iota
	ProtoTCP
	ProtoUDP
	ProtoICMP
)

var protoNames = [...]string{"unknown", "tcp", "udp", "icmp"}

// String is Zeek's name of the protocol: "tcp", "udp", "icmp" or "unknown".
func (p Proto) String() string {
	if int(p) < len(protoNames) {
		return protoNames[p]
	}
	return protoNames[ProtoUnknown]
}

// Port is a transport-level port, Zeek's type port. For ICMP Zeek puts the
// message's type or code in Num.
type Port struct {
	Num   uint16
	Proto Proto
}

// String writes the port as Zeek scripts do: "80/tcp".
func (p Port) String() string {
	return strconv.Itoa(int(p.Num)) + "/" + p.Proto.String()
}
