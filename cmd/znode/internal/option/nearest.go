package option

import "strings"

// Nearest is the candidate that a person who wrote name most likely meant, or
// "" when none is close. Close is when one letter or a third of them differ, or
// when name is a part of the candidate.
func Nearest(name string, candidates []string) string {
	if len(name) > maxCompared {
		return ""
	}
	best, bestDistance := "", max(1, len(name)/3)+1
	for _, c := range candidates {
		if len(c) > maxCompared { // the names of a layout are of any length
			continue
		}
		if d := distance(name, c); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	if best != "" || len(name) < 4 {
		return best
	}
	for _, c := range candidates {
		if strings.Contains(c, name) && (best == "" || len(c) < len(best)) {
			best = c
		}
	}
	return best
}

// didYouMean is "; did you mean PREFIX+NEAREST?", or "" when nothing is near.
func didYouMean(prefix, name string, candidates []string) string {
	if n := Nearest(name, candidates); n != "" {
		return "; did you mean " + prefix + n + "?"
	}
	return ""
}

// maxCompared bounds the work for names from outside; all of ours are shorter.
const maxCompared = 64

// distance counts the letters to insert, delete, replace or swap with their
// neighbour to make b of a (optimal string alignment). Neither may be longer
// than maxCompared.
func distance(a, b string) int {
	var before, last, row [maxCompared + 1]int
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
