package zmqtest

import "encoding/binary"

// Flags of a ZMTP 3.0 frame (RFC 23).
const (
	FlagMore    = 0x01 // another frame of the same message follows
	FlagLong    = 0x02 // the length has 8 bytes instead of 1
	FlagCommand = 0x04 // a command, not part of a message
)

// greetingSize is the length of a ZMTP 3.x greeting in bytes.
const greetingSize = 64

// A Frame is one ZMTP frame as it was received.
type Frame struct {
	Flags byte
	Body  []byte
}

// Command returns the name and data of a command frame, and "" for any other.
func (f Frame) Command() (name string, data []byte) {
	if f.Flags&FlagCommand == 0 || len(f.Body) == 0 || len(f.Body) <= int(f.Body[0]) {
		return "", nil
	}
	size := 1 + int(f.Body[0])
	return string(f.Body[1:size]), f.Body[size:]
}

// Greeting is a ZMTP 3 greeting: signature, version 3.minor, the mechanism's
// name and whether we are its server.
func Greeting(minor byte, mechanism string, asServer bool) []byte {
	greeting := make([]byte, greetingSize)
	greeting[0], greeting[9] = 0xff, 0x7f
	greeting[10], greeting[11] = 3, minor
	copy(greeting[12:32], mechanism)
	if asServer {
		greeting[32] = 1
	}
	return greeting
}

// AppendFrame appends a frame in its shortest form; FlagLong is added to the
// flags where the body needs it.
func AppendFrame(dst []byte, flags byte, body []byte) []byte {
	if len(body) <= 255 {
		dst = append(dst, flags, byte(len(body)))
	} else {
		dst = append(dst, flags|FlagLong)
		dst = binary.BigEndian.AppendUint64(dst, uint64(len(body)))
	}
	return append(dst, body...)
}

// AppendMessage appends a message of these frames.
func AppendMessage(dst []byte, frames ...[]byte) []byte {
	for i, body := range frames {
		var flags byte
		if i < len(frames)-1 {
			flags = FlagMore
		}
		dst = AppendFrame(dst, flags, body)
	}
	return dst
}

// AppendCommand appends a command frame.
func AppendCommand(dst []byte, name string, data []byte) []byte {
	body := append([]byte{byte(len(name))}, name...)
	return AppendFrame(dst, FlagCommand, append(body, data...))
}

// Ready is the READY command of the NULL mechanism with these properties,
// names and values in turn: Ready("Socket-Type", "SUB").
func Ready(properties ...string) []byte {
	var data []byte
	for i := 0; i+1 < len(properties); i += 2 {
		name, value := properties[i], properties[i+1]
		data = append(data, byte(len(name)))
		data = append(data, name...)
		data = binary.BigEndian.AppendUint32(data, uint32(len(value)))
		data = append(data, value...)
	}
	return AppendCommand(nil, "READY", data)
}

// parseProperties reads what [Ready] writes; ok is false for anything else.
func parseProperties(data []byte) (properties map[string]string, ok bool) {
	properties = make(map[string]string)
	for len(data) > 0 {
		name := 1 + int(data[0])
		if len(data) < name+4 {
			return nil, false
		}
		end := uint64(name) + 4 + uint64(binary.BigEndian.Uint32(data[name:]))
		if uint64(len(data)) < end {
			return nil, false
		}
		properties[string(data[1:name])] = string(data[name+4 : end])
		data = data[end:]
	}
	return properties, true
}
