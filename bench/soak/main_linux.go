package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"time"

	"github.com/znode/znode/bench/internal/report"
	"github.com/znode/znode/bench/internal/side"
	"github.com/znode/znode/bench/internal/soak"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the command.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	opt := soak.Options{Progress: stdout}
	fs := flag.NewFlagSet("bench/soak", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.DurationVar(&opt.Duration, "duration", 10*time.Minute, "how long; the last round is finished")
	fs.DurationVar(&opt.Round, "round", 10*time.Second, "load between two checks")
	fs.IntVar(&opt.Members, "members", 4, "nodes")
	fs.IntVar(&opt.Events, "events", 1000, "events a second, of each member")
	fs.IntVar(&opt.Records, "records", 500, "records a second, of each member")
	fs.Uint64Var(&opt.Seed, "seed", 0, "of what goes wrong, and when; 0 takes a new one")
	fs.StringVar(&opt.Znode, "znode", "", "znode binary; default: built from this module")
	keep := fs.Bool("keep", false, "leave the logs where they are")
	err := fs.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fs.SetOutput(stdout)
		fs.PrintDefaults()
		return 0
	}
	if err == nil && fs.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if err == nil {
		err = opt.Validate()
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench/soak:", err)
		return 2
	}
	ok, err := try(ctx, opt, *keep, stdout)
	if err != nil {
		fmt.Fprintln(stderr, "bench/soak:", err)
	}
	if err != nil || !ok {
		return 1
	}
	return 0
}

// try runs it in a directory of its own.
func try(ctx context.Context, opt soak.Options, keep bool, stdout io.Writer) (ok bool, err error) {
	dir, err := os.MkdirTemp("", "znode-soak-")
	if err != nil {
		return false, err
	}
	if keep {
		fmt.Fprintln(stdout, "logs in", dir)
	} else {
		defer os.RemoveAll(dir)
	}
	opt.Dir = dir
	if opt.Seed == 0 {
		opt.Seed = rand.Uint64()
	}
	version := opt.Znode
	if opt.Znode == "" {
		if opt.Znode, version, err = side.BuildZnode(dir); err != nil {
			return false, err
		}
	}
	fmt.Fprintf(stdout, "%s\n%v in rounds of %v, %d members with %d events and %d records a second each, seed %d\n",
		report.ThisMachine("znode "+version), opt.Duration, opt.Round, opt.Members, opt.Events, opt.Records, opt.Seed)
	r, err := soak.Run(ctx, opt)
	if r != nil {
		if err := r.Write(stdout); err != nil {
			return false, err
		}
	}
	return err == nil && len(r.Flaws) == 0, err
}
