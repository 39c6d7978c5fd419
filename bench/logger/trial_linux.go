package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/znode/znode/bench/internal/proc"
	"github.com/znode/znode/bench/internal/report"
)

const (
	// runTimeout bounds one run; a slow disk may need some of it.
	runTimeout = 5 * time.Minute
	// look is how often the sizes of the logs are looked at.
	look = 2 * time.Millisecond
)

// trial is one run: one side, one round. It owns the processes of the run.
type trial struct {
	*env
	scenario scenario
	side     string

	addr          string
	logs          string // directory
	spool         string // directory, of its own with a slow disk
	spoolPeak     int64
	disk          *slowDisk // nil if there is none
	batches       int
	wire, text    int64 // bytes of everything sent, and of the files in the end
	sink, sender  *proc.Process
	senderSays    *bufio.Reader
	before, after usage
	samples       []sample
}

type sample struct {
	metric report.Metric
	value  float64
}

// run starts the side and a sender, measures, and ends both.
func (t *trial) run() (err error) {
	if err := t.prepare(); err != nil {
		return err
	}
	defer os.RemoveAll(t.spool)
	defer os.RemoveAll(t.logs)
	if t.scenario.throttle > 0 {
		if t.disk, err = newSlowDisk(t.dir, t.text, t.scenario.throttle); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, t.disk.remove()) }()
		t.logs = filepath.Join(t.disk.dir, "logs")
	}
	if err := t.startSink(); err != nil {
		return err
	}
	defer t.sink.Stop()
	if err := t.startSender(); err != nil {
		return errors.Join(err, t.sink.Ended())
	}
	defer t.sender.Stop()
	err = t.measure()
	return errors.Join(err, t.sink.Ended())
}

// prepare finds out how much is to be sent and written.
func (t *trial) prepare() error {
	s := &t.scenario
	list, err := parcels(s.paths, s.records, s.format)
	if err != nil {
		return err
	}
	perTurn := s.records * s.paths
	t.batches = (t.records + perTurn - 1) / perTurn * s.paths
	for _, p := range list {
		n := int64(t.batches / s.paths)
		t.wire += n * int64(p.wire)
		t.text += n*int64(p.text) + int64(p.head)
	}
	t.logs, t.spool = filepath.Join(t.dir, "logs"), filepath.Join(t.dir, "spool")
	t.addr, err = freeAddr()
	return err
}

// freeAddr returns a loopback address that nobody listens on now. Connections made
// on the loopback have 127.0.0.1 at their own end, so none takes the port meanwhile.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.2:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (t *trial) startSink() (err error) {
	if t.side == sideBare {
		t.sink, err = proc.Start(t.self, "bare", "-listen", t.addr, "-dir", t.logs,
			"-wire", strconv.FormatInt(t.wire, 10), "-text", strconv.FormatInt(t.text, 10))
		return err
	}
	args := []string{
		"run", "logger", "--listen-log-endpoint", "tcp://" + t.addr, "--metrics-address=", "--log-dir", t.logs,
		"--log-format", string(t.scenario.format), "--rotation-interval", "0",
	}
	if t.disk != nil {
		args = append(args, "--spool-dir", t.spool)
	}
	args = append(append(args, t.scenario.args...), strings.Fields(t.znodeArgs)...)
	t.sink, err = proc.Start(t.znode, args...)
	if err != nil || t.disk == nil {
		return err
	}
	return t.disk.join(t.sink.PID)
}

func (t *trial) startSender() (err error) {
	t.sender, err = proc.Start(t.self, "send", "-endpoint", "tcp://"+t.addr, "-paths", strconv.Itoa(t.scenario.paths),
		"-records", strconv.Itoa(t.scenario.records), "-batches", strconv.Itoa(t.batches))
	if err != nil {
		return err
	}
	t.senderSays = bufio.NewReader(t.sender.Stdout)
	if line, err := t.senderSays.ReadString('\n'); err != nil {
		<-t.sender.Done()
		return fmt.Errorf("sender says %q: %w", line, t.sender.Ended())
	}
	return nil
}

// measure sends everything and looks what that took.
func (t *trial) measure() (err error) {
	if t.before, err = t.usage(); err != nil {
		return err
	}
	if _, err := io.WriteString(t.sender.Stdin, "go\n"); err != nil {
		return err
	}
	for deadline := t.before.at.Add(runTimeout); ; time.Sleep(look) {
		size, err := sizeOf(t.logs, ".log")
		switch {
		case err != nil:
			return err
		case size > t.text:
			return fmt.Errorf("%d bytes in the logs, want %d", size, t.text)
		case time.Now().After(deadline):
			return fmt.Errorf("%d bytes in the logs after %v, want %d", size, runTimeout, t.text)
		case t.sink.Ended() != nil || t.sender.Ended() != nil:
			return errors.Join(t.sink.Ended(), t.sender.Ended())
		}
		if size == t.text {
			break
		}
		if t.disk != nil {
			if size, err = sizeOf(t.spool, ".seg"); err != nil {
				return err
			}
			t.spoolPeak = max(t.spoolPeak, size)
		}
	}
	if t.after, err = t.usage(); err != nil {
		return err
	}
	now, peak, err := t.sink.Memory()
	if err != nil {
		return err
	}
	t.report(now, peak)
	if t.side == sideBare {
		return nil
	}
	lines, err := linesIn(t.logs)
	t.add(metricLost, float64(t.batches*t.scenario.records-lines))
	return err
}

func (t *trial) report(rss, peak int64) {
	records := float64(t.batches * t.scenario.records)
	took := t.after.at.Sub(t.before.at)
	perRecord := func(before, after time.Duration) float64 { return (after - before).Seconds() / records }
	t.add(metricRate, records/took.Seconds())
	t.add(metricCPU, perRecord(t.before.sink, t.after.sink))
	t.add(metricUser, perRecord(t.before.user, t.after.user))
	t.add(metricSystem, perRecord(t.before.system, t.after.system))
	t.add(metricPeakRSS, float64(peak))
	t.add(metricRSS, float64(rss))
	if t.disk != nil {
		t.add(metricSpool, float64(t.spoolPeak))
	}
	ours := t.after.sink + t.after.sender + t.after.self - t.before.sink - t.before.sender - t.before.self
	others := t.after.busy - t.before.busy - ours
	t.add(metricForeign, max(0, others.Seconds()/took.Seconds()/float64(runtime.NumCPU())))
}

func (t *trial) add(m report.Metric, value float64) {
	t.samples = append(t.samples, sample{m, value})
}

// usage is processor time up to now.
type usage struct {
	at                 time.Time
	sink, user, system time.Duration
	sender, self, busy time.Duration
}

func (t *trial) usage() (u usage, err error) {
	u.at = time.Now()
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		return u, err
	}
	u.self = time.Duration(own.Utime.Nano() + own.Stime.Nano())
	if u.sink, err = t.sink.CPU(); err != nil {
		return u, err
	}
	if u.user, u.system, err = t.sink.Modes(); err != nil {
		return u, err
	}
	if u.sender, err = t.sender.CPU(); err != nil {
		return u, err
	}
	u.busy, err = proc.Busy()
	return u, err
}

// sizeOf returns the bytes of all files in a directory, which may be missing yet,
// whose names end so.
func sizeOf(dir, ext string) (size int64, err error) {
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	for _, entry := range list {
		if filepath.Ext(entry.Name()) != ext {
			continue
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted meanwhile
		}
		if err != nil {
			return 0, err
		}
		size += info.Size()
	}
	return size, err
}

// linesIn counts the records in all logs of a directory.
func linesIn(dir string) (n int, err error) {
	logs, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil {
		return 0, err
	}
	for _, name := range logs {
		f, err := os.Open(name)
		if err != nil {
			return 0, err
		}
		in := bufio.NewReaderSize(f, pieceSize)
		for err == nil {
			var line []byte
			if line, err = in.ReadSlice('\n'); err == nil && !bytes.HasPrefix(line, []byte("#")) {
				n++
			}
		}
		f.Close()
		if !errors.Is(err, io.EOF) {
			return n, fmt.Errorf("%s: %w", name, err)
		}
	}
	return n, nil
}
