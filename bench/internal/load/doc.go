// Package load is the load of a benchmark: processes of raw ZMTP publishers and
// subscribers that cost as little as they can, a process that holds many cluster
// nodes, and one that holds silent connections; and the other half, with which
// the harness starts and steers them.
//
// A load process takes its [Config] as flags, one command per line on standard
// input ([Child.Do]), and answers each with one [Snap] as a line of JSON. The
// libzmq peers, a C program, speak the same, so that the harness need not know
// which of them it drives.
//
// What keeps it cheap: publishers write large pre-encoded batches and change
// only each message's stamp; subscribers read large pieces and find the
// boundaries by comparing frame headers with the expected ones, which also
// proves that nothing was damaged. Order per publisher is checked by the stamps.
//
// With CURVE keys in Zeek's environment the peers seal and open every frame with
// znode's own package curve.
//
// Files: config.go, snap.go, batch.go, stream.go (no system calls); dial, curve,
// publish, paced, subscribe, nodes, silent, child (the process), control (the harness's
// half), all _linux.go.
//
// Goroutines: [Main] starts one for the publishers and one for the subscribers,
// each locked to its thread; stop flags end them and Main waits. [Start] starts
// one that reads the child's answers; it ends with the child.
package load
