package report

import (
	"fmt"
	"math"
	"strconv"
)

// FormatValue writes a number with three digits and a prefix that suits it.
func FormatValue(v float64, unit Unit) string {
	switch unit {
	case Share:
		return three(100*v) + " %"
	case Bytes:
		return scaled(v, 1024, []string{"B", "KiB", "MiB", "GiB", "TiB"})
	case Seconds:
		return seconds(v)
	case PerSecond:
		return scaled(v, 1000, []string{"/s", "k/s", "M/s", "G/s"})
	default:
		if v == math.Trunc(v) && math.Abs(v) < 1e15 {
			return strconv.FormatFloat(v, 'f', 0, 64)
		}
		return three(v)
	}
}

func scaled(v, step float64, names []string) string {
	i := 0
	for math.Abs(v) >= 999.5 && i < len(names)-1 {
		v /= step
		i++
	}
	return three(v) + " " + names[i]
}

func seconds(v float64) string {
	for _, u := range []struct {
		scale float64
		name  string
	}{{1, "s"}, {1e3, "ms"}, {1e6, "us"}} {
		if math.Abs(v*u.scale) >= 0.9995 || v == 0 {
			return three(v*u.scale) + " " + u.name
		}
	}
	return three(v*1e9) + " ns"
}

// three writes three significant digits without an exponent.
func three(v float64) string {
	a := math.Abs(v)
	switch {
	case v == 0 || a >= 99.95:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case a >= 0.9995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	default:
		return fmt.Sprintf("%.3g", v)
	}
}
