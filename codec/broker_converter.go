package codec

// Converter turns broker-bin-v1 into broker-json-v1 and back without building
// values in between. The zero value is ready. It keeps what memory it needs,
// so that after some messages converting allocates nothing but what the
// caller's buffer lacks. Errors are an [*Error] that the next call overwrites.
type Converter struct {
	sort  brokerSorter
	in    []byte // a payload with its sets in order
	tmp   []byte
	topic []byte
	spans []jsonSpan // of JSON that is read later
	err   Error
}

// AppendJSON checks the value in payload, of which an event is one, and
// appends it in broker-json-v1. What Broker reads it reads, except what
// [EventView.Decode] lists as refused; that the value is an event it does not
// check. After an error nothing is appended.
//
// The text is Broker's byte for byte wherever that is JSON. It is always valid
// UTF-8 and valid JSON: control bytes are written as \u00nn, a byte that is
// not UTF-8 as \udb80\udcnn, and a real that is no number as "nan", "inf" or
// "-inf". [Converter.AppendBin] reads all that back.
func (c *Converter) AppendJSON(dst, payload []byte) ([]byte, error) {
	s := brokerScan{b: payload}
	end := s.value(0, 0)
	if end >= 0 && end < len(payload) {
		s.fail(end, "", ErrTrailing)
	}
	if s.reason == nil && s.unordered {
		c.in, end = c.sort.canonical(c.in[:0], payload, 0)
		if end < 0 {
			at := -1 - end
			s.fail(at, kindNames[payload[at]], ErrDuplicate)
		}
		payload = c.in
	}
	if s.reason != nil {
		return dst, c.err.fill(BrokerBinV1, s.off, s.field, s.reason)
	}
	dst, _ = appendBrokerJSON(dst, payload, 0)
	return dst, nil
}

// AppendBin appends the value that text holds to dst in broker-bin-v1, sets
// and tables in canonical order. It reads everything that Broker reads, the
// forms that are not JSON included, except:
//
//   - nesting over [MaxDepth], which Broker refuses little later;
//   - numbers that Broker cuts or wraps: ports over 65535, subnet lengths that
//     the address does not have, timestamps and timespans beyond 64 bits;
//   - a port or subnet length without a number, or with other text behind it;
//   - an escaped high surrogate without a low one behind it.
//
// It reads a few things that Broker does not: \/ (which Broker takes for ?), a
// raw NUL in a string, reals with any number of digits, -nan and inf, timespans
// with leading zeros, and what AppendJSON writes for NaN and infinities. The
// pair \udb80\udcnn, nn from 80 to ff, stands for the byte nn. Reals are rounded
// correctly and timespans taken exactly, where Broker may be a unit in the last
// place off, or lose what a double cannot hold.
//
// That the value is an event is for [EventView.Decode] to check. After an
// error dst comes back without anything appended, perhaps with more capacity.
func (c *Converter) AppendBin(dst, text []byte) ([]byte, error) {
	out, _, _, err := c.appendBin(dst, text, false)
	return out, err
}

// AppendBinMessage is AppendBin for a message of the WebSocket API, which has
// a topic beside the value. It returns the topic, too, valid until the next
// call, and whether there is one.
func (c *Converter) AppendBinMessage(dst, text []byte) (out, topic []byte, hasTopic bool, err error) {
	return c.appendBin(dst, text, true)
}

func (c *Converter) appendBin(dst, text []byte, top bool) (out, topic []byte, hasTopic bool, err error) {
	c.sort.elems = c.sort.elems[:0] // an error may have left some
	r := jsonReader{jsonLexer: jsonLexer{s: text, passed: c.spans[:0]}, sort: &c.sort, tmp: c.tmp, topic: c.topic}
	out = r.value(dst, 0, top)
	if r.reason == nil && r.peek() != 0 { // a NUL ends the text, as in Broker
		r.fail(r.i, "", ErrTrailing)
	}
	c.tmp, c.topic, c.spans = r.tmp, r.topic, r.passed
	if r.reason != nil {
		return out[:len(dst)], nil, false, c.err.fill(BrokerJSONV1, r.off, r.field, r.reason)
	}
	return out, r.topic, r.hasTopic, nil
}

// AppendJSON appends the event in broker-json-v1, by the rules of
// [Converter.AppendJSON].
func (e *EventView) AppendJSON(dst []byte) []byte {
	if len(e.payload) == 0 {
		return dst
	}
	p, b := e.canonical()
	dst, _ = appendBrokerJSON(dst, b, 0)
	p.release()
	return dst
}

// AppendMessage appends the event as a message of the WebSocket API: the
// text of AppendJSON with "type":"data-message" and the topic in front.
func (e *EventView) AppendMessage(dst, topic []byte) []byte {
	if len(e.payload) == 0 {
		return dst
	}
	p, b := e.canonical()
	dst = append(dst, `{"type":"data-message","topic":`...)
	dst = appendBrokerString(dst, topic)
	dst = append(dst, ',')
	dst = append(dst, jsonHeads[b[0]][1:]...)
	dst, _ = appendJSONContent(dst, b, 0)
	p.release()
	return append(dst, '}')
}

// canonical returns the payload with its sets in order; release what comes
// with it after use.
func (e *EventView) canonical() (*sorterBuffer, []byte) {
	if !e.unordered {
		return nil, e.payload
	}
	p := sorters.Get().(*sorterBuffer)
	p.out, _ = p.brokerSorter.canonical(p.out[:0], e.payload, 0)
	return p, p.out
}

// AppendJSON appends the value in broker-json-v1, by the rules of
// [Converter.AppendJSON].
func (v DataView) AppendJSON(dst []byte) []byte {
	b := v.Encoded()
	s := brokerScan{b: b}
	s.value(0, 0) // again, to learn whether its sets are in order
	if !s.unordered {
		dst, _ = appendBrokerJSON(dst, b, 0)
		return dst
	}
	p := sorters.Get().(*sorterBuffer)
	p.out, _ = p.brokerSorter.canonical(p.out[:0], b, 0)
	dst, _ = appendBrokerJSON(dst, p.out, 0)
	p.release()
	return dst
}
