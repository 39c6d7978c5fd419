package node

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// childRoles are what the test binary can be when a test runs it again as a
// process of its own, by the name in its environment.
var childRoles = map[string]func() error{}

const childRole = "NODE_TEST_CHILD"

func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		if err := childRoles[role](); err != nil {
			fmt.Fprintln(os.Stderr, role+":", err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}
