package sockets

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	PoisonReleased(true)
	goleak.VerifyTestMain(m)
}
