// Package mutate runs fuzz targets many times as fast as Go's engine does: in the
// process and the goroutine of the test, without what the engine spends on each
// execution (a goroutine, a testing.T with its caller's name, shared memory). It
// has no coverage to guide it. So the engine, guided, finds a corpus, and this runs
// millions of mutations of it. Only tests import it.
//
// A target takes its F from [From] and is a fuzz target like any other, until the
// environment says otherwise:
//
//	FUZZ_MUTATE  executions ("10000000x") or time ("10m") to run in this way
//	FUZZ_SEED    of the random numbers; it is printed, and the same one with the
//	             same corpus makes the same inputs
//	FUZZ_FROM    number of the first execution. From there on each input is written
//	             to testdata/fuzz before it runs, which is slow: for an input that
//	             ends the process rather than the test
//	FUZZ_CACHE   directory with what the engine has found for the package, in
//	             addition to testdata/fuzz
//	FUZZ_COLLECT directory for inputs that reach statements which none before has
//	             reached; they are mutated in turn. It wants a test binary made with
//	             -cover and -coverpkg
//
// An input that fails is written to testdata/fuzz in the engine's format.
package mutate
