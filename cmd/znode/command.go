package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/znode/znode/cmd/znode/internal/option"
)

// process is what a command may touch of the process that it runs in.
type process struct {
	args    []string // without the program's name
	environ []string
	stdin   io.Reader
	stdout  io.Writer
	stderr  io.Writer
}

// command is a row of the table of commands.
type command struct {
	name      string
	arguments string // for the usage line
	summary   string // one line, for the list of commands
	text      string // what it does, for its own help
	examples  []string
	use       option.Use // options that it takes as flags

	// prepare makes one use of the command: its own flags, and what to do once
	// they, the options and the arguments are known. An error of action is
	// printed as the one line that explains why the command failed.
	prepare func() (flags []option.Flag, action action)
}

type action func(ctx context.Context, p process, settings *option.Settings) error

// commands is the table. A new command is a file with its row in it and a line
// here.
func commands() []*command {
	return []*command{
		runCommand(), demoCommand(), configCommand(), layoutCommand(),
		subCommand(), pubCommand(), checkCommand(), decodeCommand(),
		completionCommand(), keygenCommand(), versionCommand(), helpCommand(),
	}
}

// Exit statuses. See the package comment.
const (
	statusOK      = 0
	statusFailure = 1
	statusUsage   = 2
)

// usageError is a mistake on the command line that package option cannot see.
type usageError string

func (e usageError) Error() string { return string(e) }

func usageErrorf(format string, args ...any) error {
	return usageError(fmt.Sprintf(format, args...))
}

// exitStatus ends a command with this status; everything was said already.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// run does what the command line asks for and returns the exit status.
func run(ctx context.Context, p process) int {
	err := dispatch(ctx, p)
	status, said := errors.AsType[exitStatus](err)
	if err == nil {
		return statusOK
	}
	if said {
		return int(status)
	}
	fmt.Fprintf(p.stderr, "znode: %s\n", oneLine(err))
	if _, isUsage := errors.AsType[usageError](err); isUsage || option.IsCommandLine(err) {
		return statusUsage
	}
	return statusFailure
}

// oneLine keeps messages that others wrote, such as joined errors, in one line.
func oneLine(err error) string {
	return strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
}

func dispatch(ctx context.Context, p process) error {
	if len(p.args) == 0 {
		return usageErrorf("no command; one of %s, or see znode --help", strings.Join(commandNames(), ", "))
	}
	name, rest := p.args[0], p.args[1:]
	switch name {
	case "-h", "--help":
		name = "help"
	case "--version":
		name = "version"
	}
	c, err := findCommand(name)
	if err != nil {
		return err
	}
	flags, act := c.prepare()
	settings, err := option.Load(option.Request{
		Command: c.name, Use: c.use, Flags: flags, Args: rest, Environ: p.environ,
	})
	if errors.Is(err, option.ErrHelp) {
		return writeCommandHelp(p.stdout, c)
	}
	if err != nil {
		return err
	}
	return act(ctx, p, settings)
}

func findCommand(name string) (*command, error) {
	for _, c := range commands() {
		if c.name == name {
			return c, nil
		}
	}
	if strings.HasPrefix(name, "-") {
		return nil, usageErrorf("unknown flag %s before the command; flags stand after it, as in znode run %s",
			option.Printable(name), option.Printable(name))
	}
	hint := "see znode --help"
	if n := option.Nearest(name, commandNames()); n != "" {
		hint = "did you mean " + n + "?"
	}
	return nil, usageErrorf("unknown command %s; %s", option.Printable(name), hint)
}

func commandNames() []string {
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	return names
}

// noArguments refuses arguments that a command has no use for.
func noArguments(name string, settings *option.Settings) error {
	if len(settings.Args) > 0 {
		return usageErrorf("znode %s takes no argument, got %s", name, option.Printable(settings.Args[0]))
	}
	return nil
}
