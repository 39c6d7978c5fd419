package sockets

// Message is one whole ZMTP message as it goes over the wire: its frames, each
// with its header, in one piece of memory. A Message made by [AppendMessage] or
// taken from a [Batch] is well formed; the methods rely on that.
type Message []byte

// AppendMessage appends the wire form of a message of these frames to dst and
// returns it. A message has at least one frame; without any, dst is returned
// unchanged.
func AppendMessage(dst []byte, frames ...[]byte) Message {
	for i, f := range frames {
		flags := byte(flagMore)
		if i == len(frames)-1 {
			flags = 0
		}
		dst = appendFrame(dst, flags, f)
	}
	return dst
}

// Frames appends the bodies of the frames to dst, as slices of m, and returns
// it. Pass a dst with room for the expected number to avoid an allocation.
func (m Message) Frames(dst [][]byte) [][]byte {
	for at := 0; at < len(m); {
		f := trustedFrame(m, at)
		dst = append(dst, m[f.body:f.end:f.end])
		at = f.end
	}
	return dst
}

// First returns the body of the first frame, a slice of m: the topic of an
// event.
func (m Message) First() []byte {
	f := trustedFrame(m, 0)
	return m[f.body:f.end:f.end]
}

// Split returns the bodies of a message of exactly four frames, which is what
// Zeek sends: topic (or "log-write"), sender, serializer and payload. It returns
// the number of frames, and all four nil if that is not four.
func (m Message) Split() (topic, sender, serializer, payload []byte, frames int) {
	var bodies [4][]byte
	for at := 0; at < len(m); frames++ {
		f := trustedFrame(m, at)
		if frames < len(bodies) {
			bodies[frames] = m[f.body:f.end:f.end]
		}
		at = f.end
	}
	if frames != len(bodies) {
		return nil, nil, nil, nil, frames
	}
	return bodies[0], bodies[1], bodies[2], bodies[3], frames
}
