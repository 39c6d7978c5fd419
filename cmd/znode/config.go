package main

import (
	"context"

	"github.com/znode/znode/cmd/znode/internal/option"
)

func configCommand() *command {
	return &command{
		name:      "config",
		arguments: "[broker] [logger] [member]",
		summary:   "print all options and where their values come from",
		text: "Prints the options that znode run reads, for the named roles or for both, with\n" +
			"the values in force and where each comes from, in the form of the --config file.\n" +
			"Secrets are not shown. Takes the flags of znode run.",
		examples: []string{
			"znode config --config /etc/znode.toml",
			"znode config logger --given",
		},
		use: option.Runnable,
		prepare: func() ([]option.Flag, action) {
			var given bool
			flags := []option.Flag{{
				Name: "given", Kind: option.Switch, Dst: &given,
				Help: "leave out what has its default",
			}}
			return flags, func(_ context.Context, p process, s *option.Settings) error {
				roles, err := parseRoles(s.Args)
				if err != nil {
					return err
				}
				if roles, err = settle(s, roles); err != nil {
					return err
				}
				if err := s.Write(p.stdout, roles, given); err != nil {
					return err
				}
				return s.Check(roles)
			}
		},
	}
}
