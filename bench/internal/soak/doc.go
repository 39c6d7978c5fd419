// Package soak runs a cluster for a long time, gives it trouble, and checks that
// nothing is lost without being counted.
//
// The broker and two loggers are processes of the znode binary, one logger with
// a journal; the members are nodes of package node in this process. They publish
// events to each other and log records. Meanwhile subscribers stop and go on or
// are slow, peers die in the middle of a message, and bad ones send garbage to
// every port.
//
// Time is cut into rounds. At the end of each the load pauses, and for every
// subscriber
//
//	published = delivered + dropped and counted
//
// must hold exactly, as must, for what is logged,
//
//	batches sent = batches read by the loggers
//
// Then something is restarted or killed, and the next round begins. A logger is
// killed when it has read all batches, whether it has written them or not, and is
// away for a part of the next round. After the last round every record must be in
// a log once, or be counted as dropped; and at the end of the rounds the
// processes' memory, goroutines and file descriptors must not have grown.
//
// Linux only. Files in reading order: options, soak (the rounds), event, tally,
// balance, member, conn, slow, dying, bad, server, metrics, logs, flat, result.
package soak
