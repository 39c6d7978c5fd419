package report

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Machine is where a report comes from.
type Machine struct {
	CPU      string   `json:"cpu"`
	Cores    int      `json:"cores"`
	Kernel   string   `json:"kernel"`
	TCP      string   `json:"tcp,omitempty"` // congestion control
	Versions []string `json:"versions"`      // Go, the libraries compared with, the commit
}

// ThisMachine describes this one. What the system does not tell stays empty.
func ThisMachine(versions ...string) Machine {
	m := Machine{Cores: runtime.NumCPU(), Versions: append([]string{runtime.Version()}, versions...)}
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		m.CPU = cpuModel(string(b))
	}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(b))
	}
	if b, err := os.ReadFile("/proc/sys/net/ipv4/tcp_congestion_control"); err == nil {
		m.TCP = strings.TrimSpace(string(b))
	}
	return m
}

func cpuModel(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// String is one line.
func (m Machine) String() string {
	cpu := m.CPU
	if cpu == "" {
		cpu = runtime.GOARCH
	}
	system := runtime.GOOS + " " + m.Kernel
	if m.TCP != "" {
		system += " with TCP " + m.TCP
	}
	return fmt.Sprintf("%s, %d cores, %s; %s", cpu, m.Cores, system, strings.Join(m.Versions, ", "))
}
