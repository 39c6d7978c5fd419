//go:build race

package codec

func init() { raceDetector = true }
