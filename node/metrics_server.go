package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// MetricsServer serves /metrics in Prometheus' text format, /healthz, and
// /services.json when it is told the cluster's layout.
type MetricsServer struct {
	services atomic.Pointer[[]byte] // what /services.json shows; nil without a layout

	listener net.Listener
	http     *http.Server
	done     chan struct{}
	err      error // of Serve; read after done
	once     sync.Once
}

// Bounds on what a client of the metrics server can tie up.
const (
	metricsHeaderTimeout = 5 * time.Second
	metricsWriteTimeout  = 30 * time.Second
	metricsIdleTimeout   = 5 * time.Minute // longer than it is between scrapes
	metricsHeaderBytes   = 16 << 10
	metricsStopTimeout   = 2 * time.Second
)

// ListenMetrics listens at address ("host:port") for [ServeMetrics]. Whoever starts
// several things does this first, because it may fail.
func ListenMetrics(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) && op.Err != nil {
			err = op.Err
		}
		return nil, fmt.Errorf("metrics: listen at %s: %w", address, err)
	}
	return l, nil
}

// ServeMetrics serves at l the figures of these collectors, of the Go runtime and
// of the process. It owns l if it succeeds.
func ServeMetrics(l net.Listener, log *slog.Logger, parts ...prometheus.Collector) (*MetricsServer, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	registry := prometheus.NewRegistry()
	parts = append(parts,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, c := range parts {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintln(w, "ok")
	})
	m := &MetricsServer{
		listener: l,
		http: &http.Server{
			Handler:           mux,
			ReadHeaderTimeout: metricsHeaderTimeout,
			WriteTimeout:      metricsWriteTimeout,
			IdleTimeout:       metricsIdleTimeout,
			MaxHeaderBytes:    metricsHeaderBytes,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		},
		done: make(chan struct{}),
	}
	mux.HandleFunc("GET /services.json", m.serveServices)
	go m.serve()
	log.Info("metrics served", "address", l.Addr().String())
	return m, nil
}

func (m *MetricsServer) serve() {
	defer close(m.done)
	if err := m.http.Serve(m.listener); !errors.Is(err, http.ErrServerClosed) {
		m.err = err
	}
}

// SetLayout makes the server show at /services.json where the nodes of a cluster
// serve their metrics, for Prometheus' HTTP service discovery, in the form that a
// Zeek manager has it. Another layout replaces it.
func (m *MetricsServer) SetLayout(l Layout) {
	type group struct {
		Targets []string          `json:"targets"`
		Labels  map[string]string `json:"labels"`
	}
	text, err := json.Marshal([]group{{l.MetricsTargets(), map[string]string{}}})
	if err != nil {
		panic("node: internal error: services.json: " + err.Error()) // strings only
	}
	m.services.Store(&text)
}

func (m *MetricsServer) serveServices(w http.ResponseWriter, r *http.Request) {
	text := m.services.Load()
	if text == nil {
		http.Error(w, "this node does not know the cluster's layout", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(*text)
}

// Addr returns the address bound.
func (m *MetricsServer) Addr() net.Addr { return m.listener.Addr() }

// Close stops the server and waits for it. Requests under way get two seconds.
func (m *MetricsServer) Close() error {
	m.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), metricsStopTimeout)
		defer cancel()
		if err := m.http.Shutdown(ctx); err != nil {
			m.http.Close()
		}
		<-m.done
	})
	return m.err
}
