//go:build !amd64 || purego || !gc

package curve

// hasWide: package salsa computes block by block here.
const hasWide = false
