// Package option declares every option of znode once and derives from that
// declaration its flags, environment variables, file keys, help and the table
// in the README.
//
// An option is one row ([Option]) in one of the rows_*.go files, plus the field
// of [Config] that its value lands in. From the name listen_xsub_endpoint, which
// is Zeek's where Zeek has the option (module Cluster::Backend::ZeroMQ,
// LogAscii), follow the flag --listen-xsub-endpoint, the variable
// ZNODE_LISTEN_XSUB_ENDPOINT and the key listen_xsub_endpoint of the TOML file
// that --config names. A flag beats the environment, the environment beats the
// file, the file beats what [Settings.Suggest] takes from a cluster's layout, and
// that beats the default; [Settings.Origin] tells which one it was.
// Every value that was given is checked, also one that a stronger place
// overrides.
//
// To add an option: add its field to Config, add its row to the section where
// it belongs, and run go generate in cmd/znode, which rewrites the table in the
// README. A new type of value is one more [Kind].
//
// Files in reading order: option.go (a row, the table), config.go (where values
// land), rows_*.go (the rows), kind.go, number.go, duration.go, endpoint.go,
// text.go, key.go and clients.go (how values are written and checked), load.go (the order of places),
// flags.go, environ.go, file.go and toml.go (the places), check.go and curve.go (options that must
// agree with each other), write.go (the values in force), error.go, nearest.go
// (what a mistake is answered with) and help.go (help and README).
package option
