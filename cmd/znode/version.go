package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/znode/znode/cmd/znode/internal/option"
)

func versionCommand() *command {
	return &command{
		name:     "version",
		summary:  "print the version",
		text:     "Prints the version of znode, the commit it was built from, the version of Go and\nthe platform, in one line.",
		examples: []string{"znode version"},
		prepare: func() ([]option.Flag, action) {
			return nil, func(_ context.Context, p process, s *option.Settings) error {
				if err := noArguments("version", s); err != nil {
					return err
				}
				info, _ := debug.ReadBuildInfo()
				_, err := fmt.Fprintln(p.stdout, versionLine(info))
				return err
			}
		},
	}
}

// versionLine says what was built, from what the linker recorded. info is nil
// when it recorded nothing.
func versionLine(info *debug.BuildInfo) string {
	version, commit := "(unknown)", "commit unknown"
	if info != nil {
		if info.Main.Version != "" {
			version = info.Main.Version
		}
		settings := map[string]string{}
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
		if revision := settings["vcs.revision"]; revision != "" {
			commit = "commit " + revision
			if settings["vcs.modified"] == "true" {
				commit += " with changes"
			}
		}
	}
	return fmt.Sprintf("znode %s, %s, %s, %s/%s", version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
