// Package fuzz holds fuzz targets that look at the packages from outside, through
// what they export. Each states a property: what is accepted agrees with a slow
// and obvious reading of the RFCs, what comes in pieces is what came whole, what
// is printed is parsed to the same. Targets of what is not exported are with their
// packages. Package oracle is that reading of the RFCs, package mutate runs targets
// faster than Go's engine does.
package fuzz
