package main

import (
	"context"
	"log/slog"
	"sync"
)

// heldLog keeps what is logged until letGo: a start that fails says so in one
// line, and nothing of what it had begun.
type heldLog struct {
	slog.Handler
	state *heldState
}

type heldState struct {
	mu    sync.Mutex
	let   bool
	lines []func()
}

func holdLog(log *slog.Logger) *heldLog {
	return &heldLog{Handler: log.Handler(), state: &heldState{}}
}

// letGo logs what was kept, and from now on everything at once.
func (h *heldLog) letGo() {
	h.state.mu.Lock()
	defer h.state.mu.Unlock()
	h.state.let = true
	for _, line := range h.state.lines {
		line()
	}
	h.state.lines = nil
}

// Handle implements slog.Handler.
func (h *heldLog) Handle(ctx context.Context, r slog.Record) error {
	h.state.mu.Lock()
	if !h.state.let {
		r = r.Clone()
		h.state.lines = append(h.state.lines, func() { _ = h.Handler.Handle(ctx, r) })
		h.state.mu.Unlock()
		return nil
	}
	h.state.mu.Unlock()
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h *heldLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &heldLog{Handler: h.Handler.WithAttrs(attrs), state: h.state}
}

// WithGroup implements slog.Handler.
func (h *heldLog) WithGroup(name string) slog.Handler {
	return &heldLog{Handler: h.Handler.WithGroup(name), state: h.state}
}
