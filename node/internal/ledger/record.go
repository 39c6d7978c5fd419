package ledger

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	magic     = "znledgr1"
	frameSize = 8
	maxRecord = 1 << 20
	// The file is written anew when it is this much larger than it was then.
	growth = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// The kinds of records.
const (
	opFile   = "file" // all of a file; also used when the ledger is written anew
	opMark   = "mark"
	opCommit = "commit"
	opIntent = "intent"
	opRotate = "rotate"
	opMoved  = "moved"
	opForget = "forget"
	opClear  = "clear"
)

// record is one change. What its fields mean depends on Op.
type record struct {
	Op     string    `json:"op"`
	ID     uint64    `json:"id,omitempty"`
	Length int64     `json:"length,omitempty"`
	Size   int64     `json:"size,omitempty"`
	Seq    uint64    `json:"seq,omitempty"`
	At     time.Time `json:"at,omitzero"`
	Dest   string    `json:"dest,omitempty"`
	Lane   string    `json:"lane,omitempty"`
	Schema uint64    `json:"schema,omitempty"`
	File   *File     `json:"file,omitempty"`
}

var errNoFile = errors.New("ledger: no such file")

// record appends a change to the file and makes it.
func (l *Ledger) record(r record) error {
	switch r.Op {
	case opCommit, opIntent, opRotate, opMoved, opForget:
		if l.files[r.ID] == nil {
			return fmt.Errorf("%w: %d", errNoFile, r.ID)
		}
	}
	data, err := appendRecord(nil, r)
	if err != nil {
		return err
	}
	// The place is fixed, so what a failed try left is overwritten.
	if _, err := l.file.WriteAt(data, l.size); err != nil {
		return err
	}
	l.size += int64(len(data))
	l.apply(r)
	if l.size > 2*l.base+growth {
		// What is there remains right if this fails; it is tried again.
		if err := l.rewrite(); err != nil {
			l.base = l.size / 2
		}
	}
	return nil
}

func appendRecord(dst []byte, r record) ([]byte, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return dst, err
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(data)))
	dst = binary.BigEndian.AppendUint32(dst, crc32.Checksum(data, castagnoli))
	return append(dst, data...), nil
}

// apply makes a change in memory.
func (l *Ledger) apply(r record) {
	l.seq = max(l.seq, r.Seq)
	f := l.files[r.ID]
	switch r.Op {
	case opFile:
		if r.File != nil {
			l.files[r.File.ID] = r.File
			l.next = max(l.next, r.File.ID+1)
		}
		return
	case opMark:
		l.marks[markKey{r.Lane, r.Schema}] = r.Seq
		return
	case opClear:
		clear(l.marks)
		return
	}
	if f == nil {
		return
	}
	switch r.Op {
	case opCommit:
		f.Length, f.Intent = r.Length, nil
		l.advance(f, r.Seq)
	case opIntent:
		// The one before has happened, unless this is another try of it.
		if f.Intent != nil && r.Length >= f.Intent.Offset+f.Intent.Size {
			l.advance(f, f.Intent.Seq)
		}
		f.Length, f.Intent = r.Length, &Intent{Offset: r.Length, Size: r.Size, Seq: r.Seq}
	case opRotate:
		f.State, f.Length, f.Intent, f.Closed, f.Dest = Rotated, r.Length, nil, r.At, r.Dest
		l.advance(f, r.Seq)
	case opMoved:
		f.State = Moved
	case opForget:
		delete(l.files, r.ID)
	}
}

// advance moves the mark of a file's lane and columns.
func (l *Ledger) advance(f *File, seq uint64) {
	if seq > 0 {
		k := markKey{f.Lane, f.Schema}
		l.marks[k] = max(l.marks[k], seq)
	}
}

// load reads the file.
func (l *Ledger) load() error {
	data, err := os.ReadFile(filepath.Join(l.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	rest, ok := bytes.CutPrefix(data, []byte(magic))
	if !ok {
		if len(data) < len(magic) {
			return nil
		}
		return fmt.Errorf("%s: not a ledger", filepath.Join(l.dir, name))
	}
	for len(rest) >= frameSize {
		n := binary.BigEndian.Uint32(rest)
		if n > maxRecord || int64(n) > int64(len(rest)-frameSize) {
			break
		}
		data := rest[frameSize : frameSize+n]
		var r record
		if crc32.Checksum(data, castagnoli) != binary.BigEndian.Uint32(rest[4:]) || json.Unmarshal(data, &r) != nil {
			break
		}
		l.apply(r)
		rest = rest[frameSize+n:]
	}
	return nil
}

// rewrite writes the ledger anew, without what is out of date.
func (l *Ledger) rewrite() error {
	data := []byte(magic)
	add := func(r record) (err error) {
		data, err = appendRecord(data, r)
		return err
	}
	err := add(record{Op: opMark, Seq: l.seq}) // of no lane: the highest number
	for k, seq := range l.marks {
		if err == nil {
			err = add(record{Op: opMark, Lane: k.lane, Schema: k.schema, Seq: seq})
		}
	}
	for _, f := range l.files {
		if err == nil {
			err = add(record{Op: opFile, File: f})
		}
	}
	if err != nil {
		return err
	}
	path := filepath.Join(l.dir, newName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(path, filepath.Join(l.dir, name))
	}
	if err != nil {
		f.Close()
		os.Remove(path)
		return err
	}
	syncDir(l.dir)
	if l.file != nil {
		l.file.Close()
	}
	delete(l.marks, markKey{})
	l.file, l.size, l.base = f, int64(len(data)), int64(len(data))
	return nil
}

// syncDir brings a directory's names to disk as far as the system can.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}
