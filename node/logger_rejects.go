package node

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// maxReject bounds a refused batch that is kept, in bytes, and rejectQueue
	// how many wait to be written. What comes beyond is not kept.
	maxReject   = 1 << 20
	rejectQueue = 64
	// rejectFiles is how many files share the limit.
	rejectFiles  = 4
	rejectSuffix = ".batches"
)

// rejects keeps refused batches in files, each with its length in front, 4 bytes,
// big-endian. A goroutine writes them, so nobody waits for it. The oldest files go
// when there are too many.
type rejects struct {
	l     *Logger
	queue chan []byte

	file *os.File
	size int64
	last string // name of the last file

	kept, dropped atomic.Uint64
	complaint     complaint
}

func (r *rejects) init(l *Logger) {
	r.l = l
	r.queue = make(chan []byte, rejectQueue)
}

// keep queues a copy of a batch.
func (r *rejects) keep(payload []byte) {
	if r.l.opt.RejectLimit == 0 || len(payload) > maxReject || len(r.queue) == cap(r.queue) {
		r.dropped.Add(1)
		return
	}
	entry := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(payload)), uint32(len(payload)))
	select {
	case r.queue <- append(entry, payload...):
	default:
		r.dropped.Add(1)
	}
}

// run is the goroutine.
func (r *rejects) run() {
	defer r.close()
	for {
		select {
		case entry := <-r.queue:
			r.write(entry)
			continue
		default:
		}
		select {
		case entry := <-r.queue:
			r.write(entry)
		case <-r.l.quit:
			for len(r.queue) > 0 {
				r.write(<-r.queue)
			}
			return
		}
	}
}

func (r *rejects) write(entry []byte) {
	err := r.put(entry)
	if err == nil {
		r.kept.Add(1)
		return
	}
	r.dropped.Add(1)
	r.close()
	if log, ok := r.complaint.allow(r.l.log); ok {
		log.Error("refused batch cannot be kept", "directory", r.l.opt.rejectDir(), "error", err)
	}
}

func (r *rejects) put(entry []byte) error {
	most := r.l.opt.RejectLimit / rejectFiles
	if r.file != nil && r.size+int64(len(entry)) > most {
		r.close()
	}
	if r.file == nil {
		if err := r.open(most); err != nil {
			return err
		}
	}
	if _, err := r.file.Write(entry); err != nil {
		_ = r.file.Truncate(r.size)
		return err
	}
	r.size += int64(len(entry))
	return nil
}

func (r *rejects) close() {
	if r.file != nil {
		r.file.Close()
		r.file = nil
	}
}

// open makes a new file and deletes old ones, so that all together keep to the
// limit.
func (r *rejects) open(most int64) error {
	dir := r.l.opt.rejectDir()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := r.makeRoom(dir, most); err != nil {
		return err
	}
	name := time.Now().UTC().Format("20060102-150405.000000")
	if name <= r.last {
		name = r.last + "+"
	}
	f, err := os.OpenFile(filepath.Join(dir, name+rejectSuffix), os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o640)
	if err != nil {
		return err
	}
	r.file, r.size, r.last = f, 0, name
	return nil
}

func (r *rejects) makeRoom(dir string, most int64) error {
	list, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var names []string
	var total int64
	sizes := make(map[string]int64)
	for _, e := range list {
		if !strings.HasSuffix(e.Name(), rejectSuffix) {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue
		}
		names = append(names, e.Name())
		sizes[e.Name()] = info.Size()
		total += info.Size()
	}
	slices.Sort(names)
	for _, name := range names {
		if total+most <= r.l.opt.RejectLimit {
			break
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("make room for refused batches: %w", err)
		}
		total -= sizes[name]
	}
	return nil
}
