package soak

import (
	"fmt"
	"net/http"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// figures are what a process serves at /metrics.
type figures map[string]*dto.MetricFamily

// client keeps no connections, which would be counted as descriptors.
var client = http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}

// scrape asks the process for its figures.
func (s *server) scrape() (figures, error) {
	resp, err := client.Get("http://" + s.metrics + "/metrics")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: metrics: %s", s.name, resp.Status)
	}
	p := expfmt.NewTextParser(model.UTF8Validation)
	f, err := p.TextToMetricFamilies(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("%s: metrics: %w", s.name, err)
	}
	return f, nil
}

func value(m *dto.Metric) float64 {
	switch {
	case m.Counter != nil:
		return m.Counter.GetValue()
	case m.Gauge != nil:
		return m.Gauge.GetValue()
	default:
		return m.Untyped.GetValue()
	}
}

// sum adds up all series of a metric.
func (f figures) sum(name string) (sum float64) {
	for _, m := range f[name].GetMetric() {
		sum += value(m)
	}
	return sum
}

// by returns the series of a metric by the value of a label.
func (f figures) by(name, label string) map[string]float64 {
	all := make(map[string]float64)
	for _, m := range f[name].GetMetric() {
		for _, l := range m.GetLabel() {
			if l.GetName() == label {
				all[l.GetValue()] += value(m)
			}
		}
	}
	return all
}
