//go:build !purego && gc

package curve

// hasWide: package salsa has vector code under just these conditions.
const hasWide = true
