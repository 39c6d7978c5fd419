// Command znode is the ZeroMQ broker and the logger of a Zeek cluster in one
// static binary, with the tools around them.
//
// Values come from package option's table: commands declare which options they
// read and get them checked and typed. Data goes to stdout, what is for people
// to stderr: one line for what stops a command, slog for the rest. The exit
// status is 0 when all went well, 2 for a mistake on the command line, 1 for
// every other failure, and 128 plus the signal's number when a second signal
// cut a shutdown short.
//
// Files in reading order: main.go, command.go (the table of commands and what
// they share), help.go, version.go, completion.go; run.go, roles.go, member.go
// and logheld.go (znode run), supervise.go (signals, draining) and systemd.go,
// logging.go, config.go, layout.go; demo.go and demo_sensor.go (znode demo);
// printer.go and items.go (messages as text, and from files) with decode.go;
// client.go (a visitor of a cluster) with sub.go, pub.go and args.go, check.go and
// check_report.go. systemd/ holds units for the broker and the logger.
package main
