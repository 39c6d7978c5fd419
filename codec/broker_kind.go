package codec

import "errors"

// Kind is the type of a broker value. Its number is the value's tag in
// broker-bin-v1 and its rank when values of different types are ordered.
//
// Zeek's record, list, pattern, func and opaque values all travel as vectors,
// and nothing in the message tells them apart.
type Kind uint8

// The kinds of broker values (Broker: variant_tag).
const (
	KindNone      Kind = iota // no value: an unset field of a record
	KindBoolean               // Zeek's bool
	KindCount                 // count: unsigned, 64 bits
	KindInteger               // int: signed, 64 bits
	KindReal                  // double
	KindString                // string: any bytes
	KindAddress               // addr
	KindSubnet                // subnet
	KindPort                  // port
	KindTimestamp             // time: nanoseconds since 1970, signed, 64 bits
	KindTimespan              // interval: nanoseconds, signed, 64 bits
	KindEnum                  // enum: the name of the enum's value
	KindSet                   // set: distinct values in ascending order
	KindTable                 // table: pairs of key and value, ascending by key
	KindVector                // vector
)

var kindNames = [...]string{
	"none", "boolean", "count", "integer", "real", "string", "address", "subnet", "port", "timestamp", "timespan",
	"enum-value", "set", "table", "vector",
}

// String is the kind's name in broker-json-v1: "count", "enum-value".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// kindNamed is the kind of that name, or -1. A switch is what the compiler makes
// fast here.
func kindNamed(name []byte) int {
	switch string(name) {
	case "none":
		return int(KindNone)
	case "boolean":
		return int(KindBoolean)
	case "count":
		return int(KindCount)
	case "integer":
		return int(KindInteger)
	case "real":
		return int(KindReal)
	case "string":
		return int(KindString)
	case "address":
		return int(KindAddress)
	case "subnet":
		return int(KindSubnet)
	case "port":
		return int(KindPort)
	case "timestamp":
		return int(KindTimestamp)
	case "timespan":
		return int(KindTimespan)
	case "enum-value":
		return int(KindEnum)
	case "set":
		return int(KindSet)
	case "table":
		return int(KindTable)
	case "vector":
		return int(KindVector)
	}
	return -1
}

// Names of the two event serializers, as they stand in the third frame of a
// message.
const (
	BrokerBinV1  = "broker-bin-v1"
	BrokerJSONV1 = "broker-json-v1"
)

// MetadataNetworkTimestamp is the id of the event metadata that holds the
// network time at which the event was raised. Ids below 200 belong to Zeek.
const MetadataNetworkTimestamp = 1

// Reasons that only events have; see [Error].
var (
	// ErrDuplicate: a set holds a value twice, or a table a key.
	ErrDuplicate = errors.New("duplicate element")
	// ErrVarbyte: a length is longer than 32 bits or written with more bytes than it needs.
	ErrVarbyte = errors.New("overlong length")
	// ErrNotEvent: a well-formed value that is not an event of version 1.
	ErrNotEvent = errors.New("not an event")
	// ErrTooLong: a string or container of more than 2^32-1 bytes or elements.
	ErrTooLong = errors.New("longer than the format can say")
)
