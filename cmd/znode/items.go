package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/znode/znode/codec"
)

// framing is how the items of an input are told apart.
type framing byte

const (
	unknown  framing = iota
	alone            // one item up to the end
	lengths          // items behind their lengths
	messages         // the four frames of messages, each behind its length
	lines            // events in JSON, one a line, or one on several lines
)

// maxItem bounds an item, as max_message_size does a message.
const maxItem = 256 << 20

// items cuts an input into batches and events.
type items struct {
	r       *bufio.Reader
	most    int64 // bytes of an item
	framing framing
	count   int   // items so far
	at      int64 // offset of the last one's payload
	offset  int64 // of what is read next
	buf     bytes.Buffer
}

func newItems(r io.Reader) *items {
	return &items{r: bufio.NewReaderSize(r, detectWindow), most: maxItem}
}

// next returns the next item, valid until the one behind it is asked for. The
// error is io.EOF at the end of the last item.
func (s *items) next() (message, error) {
	if s.framing == unknown {
		var err error
		if s.framing, err = s.detect(); err != nil {
			return message{}, err
		}
	}
	s.count++
	s.buf.Reset()
	switch s.framing {
	case lengths:
		payload, err := s.frame(true)
		return message{payload: payload}, err
	case messages:
		return s.message()
	case lines:
		return s.line()
	}
	return s.rest()
}

// rest is everything up to the end.
func (s *items) rest() (message, error) {
	s.at = s.offset
	n, err := s.buf.ReadFrom(io.LimitReader(s.r, s.most+1-int64(s.buf.Len())))
	s.offset += n
	switch {
	case err != nil:
		return message{}, err
	case int64(s.buf.Len()) > s.most:
		return message{}, fmt.Errorf("more than %d bytes without lengths in between, which is no batch and no event", s.most)
	case s.buf.Len() == 0:
		return message{}, io.EOF
	}
	return message{payload: s.buf.Bytes()}, nil
}

// frame reads a length and as many bytes, which it returns as a part of s.buf.
// Memory grows with what is there, not with what the length says.
func (s *items) frame(first bool) ([]byte, error) {
	var length [4]byte
	n, err := io.ReadFull(s.r, length[:])
	if err == io.EOF && first {
		return nil, io.EOF
	}
	if err != nil {
		return nil, s.torn(err, "a length of 4 bytes", int64(n))
	}
	size := int64(binary.BigEndian.Uint32(length[:]))
	if size > s.most {
		return nil, fmt.Errorf("offset %d: a length of %d bytes, the most is %d", s.offset, size, s.most)
	}
	s.at = s.offset + 4
	start := s.buf.Len()
	read, err := io.CopyN(&s.buf, s.r, size)
	if err != nil {
		return nil, s.torn(err, fmt.Sprintf("%d bytes", size), read)
	}
	s.offset += 4 + size
	return s.buf.Bytes()[start:], nil
}

func (s *items) torn(err error, what string, read int64) error {
	if err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	return fmt.Errorf("offset %d: want %s, the input ends after %d", s.offset, what, read)
}

func (s *items) message() (message, error) {
	var frames [4][]byte
	var sizes [4]int
	for i := range frames {
		f, err := s.frame(i == 0)
		if err != nil {
			return message{}, err
		}
		sizes[i] = len(f)
	}
	// The buffer may have moved while it grew.
	all := s.buf.Bytes()
	for i, n := range sizes {
		frames[i], all = all[:n:n], all[n:]
	}
	return message{topic: frames[0], sender: frames[1], serializer: frames[2], payload: frames[3]}, nil
}

// line is the next line that is not empty. The first one decides whether there
// is an event on each, or one on all of them.
func (s *items) line() (message, error) {
	for {
		s.buf.Reset()
		s.at = s.offset
		for {
			part, err := s.r.ReadSlice('\n')
			s.buf.Write(part)
			s.offset += int64(len(part))
			if int64(s.buf.Len()) > s.most {
				return message{}, fmt.Errorf("offset %d: a line of more than %d bytes", s.at, s.most)
			}
			if errors.Is(err, bufio.ErrBufferFull) {
				continue
			}
			if err != nil && (err != io.EOF || s.buf.Len() == 0) {
				return message{}, err
			}
			break
		}
		line := bytes.TrimSpace(s.buf.Bytes())
		if len(line) == 0 {
			continue
		}
		if s.count == 1 && !wholeJSON(line) {
			s.framing = alone
			return s.rest()
		}
		return message{payload: line}, nil
	}
}

// wholeJSON tells whether a line is an event, and not the first line of one.
func wholeJSON(line []byte) bool {
	var c codec.Converter
	_, _, _, err := c.AppendBinMessage(nil, line)
	return err == nil || bytes.HasSuffix(line, []byte("}")) && bytes.HasPrefix(line, []byte("{"))
}

// detectWindow is how much of an input may be looked at to find its framing.
const detectWindow = 64 << 10

// detect finds the framing from no more of the input than it takes.
func (s *items) detect() (framing, error) {
	for want := 1; ; {
		window, err := s.r.Peek(want)
		if len(window) == 0 {
			return unknown, err
		}
		window, _ = s.r.Peek(max(want, s.r.Buffered()))
		last := err != nil || want >= detectWindow
		f, more := framingOf(window, last)
		switch {
		case f != unknown:
			return f, nil
		case !more || last:
			return unknown, fmt.Errorf("begins with % x, which is neither a batch of log writes nor an event", window[:min(8, len(window))])
		}
		want = min(len(window)+1, detectWindow)
	}
}

// framingOf judges by the first bytes; more says that others may help. Of all the
// forms only an event begins with the tag of a vector, and only JSON with a
// bracket. A batch begins with four names, a message with three of which the last
// is a serializer's, and names hold no control bytes, while what is behind a
// length does.
func framingOf(b []byte, last bool) (f framing, more bool) {
	switch {
	case b[0] == byte(codec.KindVector):
		return alone, false
	case isJSON(b):
		return lines, false
	case len(b) < 5:
		return unknown, true
	case b[4] == byte(codec.KindVector), isJSON(b[4:]) && b[4] != ' ':
		return lengths, false
	}
	names, more := leadingNames(b)
	switch {
	case len(names) >= 3 && isSerializer(names[2]):
		return messages, false
	case len(names) == 4:
		return alone, false
	case more && !last:
		return unknown, true
	}
	names, more = leadingNames(b[4:])
	if len(names) == 4 {
		return lengths, false
	}
	return unknown, more
}

func isSerializer(name []byte) bool {
	switch string(name) {
	case codec.BrokerBinV1, codec.BrokerJSONV1, logSerializer:
		return true
	}
	return false
}

// leadingNames reads up to four strings without control bytes, each behind its
// length. more says that b ends too early to tell.
func leadingNames(b []byte) (names [][]byte, more bool) {
	for len(names) < 4 {
		if len(b) < 4 {
			return names, true
		}
		n := binary.BigEndian.Uint32(b)
		b = b[4:]
		if n > detectWindow/4 {
			return names, false
		}
		name := b[:min(len(b), int(n))]
		if bytes.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
			return names, false
		}
		if len(name) < int(n) {
			return names, true
		}
		names, b = append(names, name), b[n:]
	}
	return names, false
}
