package codec

// Type is a Zeek type tag as log batches carry it (zeek: src/Type.h).
type Type uint32

// Zeek's type tags. Those that cannot appear in a log are here because they
// have names and may stand in places where the tag is not looked at.
const (
	TypeVoid Type = iota
	TypeBool
	TypeInt
	TypeCount
	TypeDouble
	TypeTime     // seconds since the epoch, as a double
	TypeInterval // seconds, as a double
	TypeString
	TypePattern
	TypeEnum // the enum value's name, as a string
	TypePort
	TypeAddr
	TypeSubnet
	TypeAny
	TypeTable // in logs always a set
	TypeRecord
	TypeList
	TypeFunc // the function's name, as a string
	TypeFile // the file's name, as a string
	TypeVector
	TypeOpaque
	TypeType
	TypeError
)

var typeNames = [...]string{
	"void", "bool", "int", "count", "double", "time", "interval", "string", "pattern", "enum", "port", "addr",
	"subnet", "any", "table", "record", "types", "func", "file", "vector", "opaque", "type", "error",
}

// String is Zeek's name of the type ("count", "table").
func (t Type) String() string {
	if int(t) < len(typeNames) && t <= TypeError {
		return typeNames[t]
	}
	return "unknown"
}

// Loggable reports whether a log value may have the type and hold data.
func (t Type) Loggable() bool {
	return t <= TypeVector && 1<<t&loggable != 0
}

// declarable reports whether a column may have the type: a pattern can be
// declared, but a value of it never be sent.
func (t Type) declarable() bool { return t.Loggable() || t == TypePattern }

// IsContainer reports whether values of the type hold elements.
func (t Type) IsContainer() bool { return t == TypeTable || t == TypeVector }

// isText reports whether values of the type are carried as a string.
func (t Type) isText() bool { return t <= TypeFile && 1<<t&textTypes != 0 }

// Sets of types, a bit for each tag.
const (
	textTypes = 1<<TypeString | 1<<TypeEnum | 1<<TypeFunc | 1<<TypeFile
	wordTypes = 1<<TypeBool | 1<<TypeInt | 1<<TypeCount | 1<<TypeDouble | 1<<TypeTime | 1<<TypeInterval
	loggable  = textTypes | wordTypes | 1<<TypePort | 1<<TypeAddr | 1<<TypeSubnet | 1<<TypeTable | 1<<TypeVector
)
