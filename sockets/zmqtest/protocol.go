package zmqtest

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// The limits of one answer, so that a child gone wrong cannot exhaust the test.
const (
	maxHeader = 16 << 20 // bytes of JSON
	maxFrames = 1 << 16
	maxFrame  = 1 << 30 // bytes
)

// A request is one command to the child; peer.py says what each needs.
type request struct {
	ID        uint64 `json:"id"`
	Sock      int    `json:"sock"` // 0 is the process itself
	Op        string `json:"op"`
	New       int    `json:"new"`   // number of the socket that the command makes
	Other     int    `json:"other"` // number of a second socket
	Job       uint64 `json:"job"`   // ID of the request that is to be ended
	Type      string `json:"type"`
	Option    int    `json:"option"`
	Value     int64  `json:"value"`
	Endpoint  string `json:"endpoint"`
	Ms        int64  `json:"ms"` // the longest wait, in milliseconds
	Count     int    `json:"count"`
	First     uint64 `json:"first"`
	Size      int    `json:"size"`
	PerSecond int    `json:"per_second"`
	DontWait  bool   `json:"dont_wait"`
	Markers   int    `json:"markers"`
}

// An answer is what the child replied to the request of the same ID.
type answer struct {
	ID         uint64              `json:"id"`
	Errno      int                 `json:"errno"` // libzmq's, 0 for none, -1 for an error that is not libzmq's
	Error      string              `json:"error"`
	Version    string              `json:"version"`
	Endpoint   string              `json:"endpoint"`
	Value      int64               `json:"value"`
	Sent       int                 `json:"sent"`
	Refused    int                 `json:"refused"`
	Digest     string              `json:"digest"`
	Ended      string              `json:"ended"`
	Messages   int                 `json:"messages"`
	Bytes      int64               `json:"bytes"`
	Unnumbered int                 `json:"unnumbered"`
	Senders    map[string]Sequence `json:"senders"`
	frames     [][]byte
}

// writeRequest sends one request with its frames.
func writeRequest(w io.Writer, req request, frames [][]byte) error {
	head, err := json.Marshal(req)
	if err != nil {
		return err
	}
	buf := binary.BigEndian.AppendUint32(nil, uint32(len(head)))
	buf = append(buf, head...)
	buf = binary.BigEndian.AppendUint32(buf, uint32(len(frames)))
	for _, frame := range frames {
		buf = binary.BigEndian.AppendUint32(buf, uint32(len(frame)))
		buf = append(buf, frame...)
	}
	_, err = w.Write(buf)
	return err
}

// readAnswer reads one answer with its frames.
func readAnswer(r *bufio.Reader) (*answer, error) {
	head, err := readBlock(r, maxHeader)
	if err != nil {
		return nil, err
	}
	got := new(answer)
	if err := json.Unmarshal(head, got); err != nil {
		return nil, fmt.Errorf("answer %q: %w", head, err)
	}
	count, err := readLength(r, maxFrames)
	if err != nil {
		return nil, err
	}
	got.frames = make([][]byte, count)
	for i := range got.frames {
		if got.frames[i], err = readBlock(r, maxFrame); err != nil {
			return nil, err
		}
	}
	return got, nil
}

// readBlock reads bytes with their length in front.
func readBlock(r *bufio.Reader, limit uint32) ([]byte, error) {
	size, err := readLength(r, limit)
	if err != nil {
		return nil, err
	}
	block := make([]byte, size)
	_, err = io.ReadFull(r, block)
	return block, err
}

// readLength reads a length or count of at most limit.
func readLength(r *bufio.Reader, limit uint32) (uint32, error) {
	var raw [4]byte
	if _, err := io.ReadFull(r, raw[:]); err != nil {
		return 0, err
	}
	n := binary.BigEndian.Uint32(raw[:])
	if n > limit {
		return 0, fmt.Errorf("length %d in an answer, at most %d expected", n, limit)
	}
	return n, nil
}
