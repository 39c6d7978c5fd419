package report

import (
	"io"
	"os"
	"path/filepath"
)

// WriteFiles leaves report.json, report.md and the plots in a directory, which is
// made when it is missing.
func (r *Report) WriteFiles(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	plots, err := r.WritePlots(dir)
	if err != nil {
		return err
	}
	for name, to := range map[string]func(io.Writer) error{
		"report.json": r.WriteJSON,
		"report.md":   func(w io.Writer) error { return r.WriteMarkdown(w, plots) },
	} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if err := to(f); err != nil {
			_ = f.Close()
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}
