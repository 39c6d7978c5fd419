package archive

// TempName is for tests of what a crash leaves.
var TempName = tempName
