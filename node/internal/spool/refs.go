package spool

import "encoding/binary"

// Ref says where an entry is.
type Ref struct {
	seg *segment
	off uint32 // of the entry in the segment
	n   uint32 // its bytes
}

// Refs is a queue of refs that keeps each in a few bytes when they are in the
// order of their places. The zero value is empty. It is not safe for concurrent
// use.
type Refs struct {
	runs  []refRun
	count int
	bytes int
}

// A refRun is some refs into one segment, in growing order. For each ref it has
// the distance from the end of the one before and the length.
type refRun struct {
	seg  *segment
	data []byte
	pos  int    // of the first ref not taken, in data
	head uint32 // where its distance counts from
	tail uint32 // end of the last ref
	left int
}

// Push adds a ref at the end.
func (r *Refs) Push(ref Ref) {
	if len(r.runs) == 0 || r.last().seg != ref.seg || r.last().tail > ref.off {
		r.runs = append(r.runs, refRun{seg: ref.seg})
	}
	l := r.last()
	before := cap(l.data)
	l.data = binary.AppendUvarint(l.data, uint64(ref.off-l.tail))
	l.data = binary.AppendUvarint(l.data, uint64(ref.n))
	l.tail = ref.off + ref.n
	l.left++
	r.count++
	r.bytes += cap(l.data) - before
}

func (r *Refs) last() *refRun { return &r.runs[len(r.runs)-1] }

// Pop takes the first ref.
func (r *Refs) Pop() (Ref, bool) {
	if r.count == 0 {
		return Ref{}, false
	}
	run := &r.runs[0]
	ref := run.next()
	r.count--
	if run.left == 0 {
		r.bytes -= cap(run.data)
		*run = refRun{}
		r.runs = r.runs[1:]
	}
	return ref, true
}

// All yields the refs in order and leaves them where they are.
func (r *Refs) All(yield func(Ref) bool) {
	for i := range r.runs {
		run := r.runs[i] // a copy to walk through
		for range run.left {
			if !yield(run.next()) {
				return
			}
		}
	}
}

// next takes the first ref of the run; there must be one.
func (run *refRun) next() Ref {
	distance, n := binary.Uvarint(run.data[run.pos:])
	run.pos += n
	length, n := binary.Uvarint(run.data[run.pos:])
	run.pos += n
	ref := Ref{seg: run.seg, off: run.head + uint32(distance), n: uint32(length)}
	run.head = ref.off + ref.n
	run.left--
	return ref
}

// Len returns the number of refs.
func (r *Refs) Len() int { return r.count }

// Bytes returns the memory that the refs take, roughly.
func (r *Refs) Bytes() int { return r.bytes }
