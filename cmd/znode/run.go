package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/znode/znode/cmd/znode/internal/option"
	"github.com/znode/znode/node"
)

func runCommand() *command {
	return &command{
		name:      "run",
		arguments: "[broker] [logger] [member]",
		summary:   "be the broker, the logger, or both; or a member of the cluster",
		text: "Runs the named roles, or broker and logger when none is named, until SIGINT or\n" +
			"SIGTERM. The first signal drains: what was received is written, log files are\n" +
			"closed. A second one leaves at once. SIGHUP reads the file again, SIGUSR1 rotates\n" +
			"the log files. A member prints node_up and node_down as other nodes come and go;\n" +
			"with a layout the broker and the logger are nodes of the cluster too.",
		examples: []string{
			"znode run",
			"znode run logger --log-dir /var/log/zeek --log-format json",
			"znode run broker --config /etc/znode.toml --check",
			"znode run member --node worker-1",
		},
		use: option.Runnable,
		prepare: func() ([]option.Flag, action) {
			var check bool
			flags := []option.Flag{{
				Name: "check", Kind: option.Switch, Dst: &check,
				Help: "check all options and exit without starting anything",
			}}
			return flags, func(ctx context.Context, p process, s *option.Settings) error {
				return runRoles(ctx, p, s, check)
			}
		},
	}
}

func runRoles(ctx context.Context, p process, s *option.Settings, check bool) error {
	roles, err := parseRoles(s.Args)
	if err != nil {
		return err
	}
	if roles, err = settle(s, roles); err != nil {
		return err
	}
	if err := s.Check(roles); err != nil {
		return err
	}
	if err := validateRoles(&s.Config, s.Given, roles); err != nil {
		return err
	}
	level := new(slog.LevelVar)
	level.Set(s.Config.LogLevel)
	log := newLog(p.stderr, level)
	warn(log, s, roles)
	if check {
		_, err := fmt.Fprintf(p.stdout, "options are valid for %s\n", roles)
		return err
	}
	signals, stop := notifySignals()
	defer stop()
	manager, err := newServiceManager(p.environ)
	if err != nil {
		return err
	}
	defer manager.close()
	r := &reloader{started: s, roles: roles, level: level, log: log}
	started := make(chan func(), 1)
	return supervise(ctx, func(ctx context.Context) error {
		running, err := startGiven(&s.Config, s.Given, roles, log, p.stdout)
		if err != nil {
			return err
		}
		r.began(running)
		started <- running.probe
		<-ctx.Done()
		return running.stop()
	}, hooks{signals: signals, oneRequest: oneRequest, reload: r.reload, rotate: r.rotate, log: log, started: started, manager: manager})
}

// parseRoles reads the arguments of run: none means all.
func parseRoles(args []string) (option.Use, error) {
	var roles option.Use
	for _, arg := range args {
		role, ok := option.ParseRole(arg)
		if ok {
			roles |= role
			continue
		}
		hint := ""
		if n := option.Nearest(arg, option.RoleNames()); n != "" {
			hint = "; did you mean " + n + "?"
		} else if arg == "true" || arg == "false" {
			hint = "; a switch takes its value with =, as in --ipv6=" + arg
		}
		return 0, usageErrorf("unknown role %s, want %s%s",
			option.Printable(arg), strings.Join(option.RoleNames(), " or "), hint)
	}
	if roles == 0 {
		return option.Roles, nil
	}
	return roles, nil
}

// settle adds what the layout says, if there is one: values that nobody gave,
// and the roles when none are named.
func settle(s *option.Settings, roles option.Use) (option.Use, error) {
	named := roles
	if len(s.Args) == 0 {
		named = 0
	}
	named, err := applyLayout(s, named)
	if named == 0 {
		named = roles
	}
	return named, err
}

// warn tells what was given and will not be read.
func warn(log *slog.Logger, s *option.Settings, roles option.Use) {
	for _, hint := range s.Hints {
		log.Warn(hint)
	}
	for _, o := range s.FlagsWithout(roles) {
		log.Warn("flag has no effect in this role", "flag", o.Flag(), "for", o.Use.String())
	}
}

// reloader reads the options again while the process runs.
type reloader struct {
	started *option.Settings // as the roles were started
	roles   option.Use
	level   *slog.LevelVar
	log     *slog.Logger

	mu      sync.Mutex
	running *roles               // nil before they are started
	clients *[]node.ClientRights // read before they were, nil if not
}

// began tells the reloader what was started.
func (r *reloader) began(running *roles) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running = running
	if r.clients == nil || running.curve == nil {
		return
	}
	if err := running.setClients(*r.clients); err != nil {
		r.log.Error("clients not reloaded, all stay as they are", "error", err.Error())
	}
}

// setClients applies the list of clients, if there is anybody to ask for it and
// encryption was not switched off in the file, which needs a restart.
func (r *reloader) setClients(s *option.Settings) error {
	if s.Config.CurveServerSecretKey.IsZero() {
		return nil
	}
	list := clientRights(&s.Config)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.running == nil:
		r.clients = &list
	case r.running.curve != nil:
		return r.running.setClients(list)
	}
	return nil
}

// reload applies what may change while running and names what may not. A
// mistake anywhere changes nothing.
func (r *reloader) reload() {
	s, err := r.started.Reload()
	if err == nil {
		_, err = settle(s, r.roles)
	}
	if err == nil {
		err = s.Check(r.roles)
	}
	if err == nil {
		err = r.setClients(s)
	}
	if err != nil {
		r.log.Error("options not reloaded, all stay as they are", "error", err.Error())
		return
	}
	for _, o := range option.Changed(&r.started.Config, &s.Config) {
		if !o.Reload && o.Use&r.roles != 0 {
			r.log.Warn("a new value needs a restart", "option", o.Name, "origin", s.Origin(o).String())
		}
	}
	// Whoever turns the log down hears that it was done, too.
	r.level.Set(min(r.level.Level(), s.Config.LogLevel))
	r.log.Info("options reloaded", "log_level", s.Config.LogLevel.String())
	r.level.Set(s.Config.LogLevel)
}

// rotate has the logger begin new files, if there is one.
func (r *reloader) rotate() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running == nil || r.running.logger == nil {
		r.log.Warn("no log files to rotate")
		return
	}
	r.log.Info("log files are rotated")
	r.running.logger.Rotate()
}
