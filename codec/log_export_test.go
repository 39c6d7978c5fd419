package codec

// What the tests of log text look at from outside.
var (
	PutUint       = putUint
	PutInt        = putInt
	PutAddr4      = putAddr4
	PutAddr6      = putAddr6
	PutJSONDouble = putJSONDouble
	PutISO8601    = putISO8601
	ShortUnits    = shortUnits
	RoundMicros   = roundMicros
	GrisuIndex    = grisuIndex
	AcceptedRune  = acceptedRune
)

const TextRoom = textRoom

// GrisuPower is the table's entry for the power of ten with the given index.
func GrisuPower(i int) (f uint64, e, power int) {
	return grisuPowers[i].f, int(grisuPowers[i].e), grisuMinPower + i*grisuPowerStep
}

// GrisuPowers is the number of entries.
const GrisuPowers = len(grisuPowers)

// TSVDouble formats a double, time or interval as the TSV writer does.
func TSVDouble(d float64, typ Type) string {
	q, ok := roundMicros(d)
	if !ok {
		return string(appendTSVDouble(nil, d, typ))
	}
	var buf [2 * textRoom]byte
	return string(buf[:putTSVDouble(buf[:], 0, d, q, typ)])
}

// SlowTSVDouble is its path for doubles that the fast one declines, which must
// be right for any.
func SlowTSVDouble(d float64, typ Type) string { return string(appendTSVDouble(nil, d, typ)) }
