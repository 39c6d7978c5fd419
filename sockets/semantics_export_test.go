package sockets

// RaceEnabled is whether the race detector looks at the tests, which are then
// kept small.
const RaceEnabled = raceEnabled
