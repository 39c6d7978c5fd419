package option

import (
	"fmt"

	"github.com/znode/znode/sockets/curve"
)

// UsesCurve tells whether any option of encryption is given. [Settings.Check] then
// wants all that the roles need.
func (s *Settings) UsesCurve() bool {
	for _, o := range curveKeys {
		if s.Given(o.Name) {
			return true
		}
	}
	return false
}

// checkCurve finds keys that are missing or do not belong together.
func (s *Settings) checkCurve(use Use) error {
	if !s.UsesCurve() {
		return nil
	}
	c := &s.Config
	for _, pair := range []struct {
		side   string
		public curve.Public
		secret curve.Secret
	}{
		{"server", c.CurveServerPublicKey, c.CurveServerSecretKey},
		{"client", c.CurveClientPublicKey, c.CurveClientSecretKey},
	} {
		if pair.public.IsZero() || pair.secret.IsZero() {
			continue
		}
		if public, err := pair.secret.Public(); err != nil || public != pair.public {
			return s.curveError("curve_"+pair.side+"_publickey", "does not belong to "+s.where("curve_"+pair.side+"_secretkey"))
		}
	}
	for i := range c.Clients {
		if c.Clients[i].PublicKey == c.CurveClientPublicKey {
			return s.curveError("clients", fmt.Sprintf("client %s has the key of curve_client_publickey, which has all rights", c.Clients[i].Name))
		}
	}
	return s.checkCurveComplete(use)
}

// checkCurveComplete finds keys that are missing.
func (s *Settings) checkCurveComplete(use Use) error {
	missing := func(name, what, who string) error {
		return s.curveError(name, "missing; with encryption (there is "+s.firstCurve()+") "+who+" needs "+what)
	}
	if roles := use & Roles; roles != 0 {
		who := roles.String()
		switch {
		case !s.Given("curve_server_secretkey"):
			return missing("curve_server_secretkey", "it", who)
		case !s.Given("curve_client_publickey") && !s.Given("clients"):
			return missing("curve_client_publickey", "it or [[clients]]", who)
		}
	}
	who := (use & (Clients | Member)).String()
	if use&Roles != 0 && s.Config.Layout != "" {
		who = "a node of the layout" // which the broker and the logger are too
	}
	if who == "" {
		return nil
	}
	for _, name := range []string{"curve_server_publickey", "curve_client_publickey", "curve_client_secretkey"} {
		if !s.Given(name) {
			return missing(name, "it", who)
		}
	}
	return nil
}

// firstCurve is where the first option of encryption stands.
func (s *Settings) firstCurve() string {
	for _, o := range curveKeys {
		if s.Given(o.Name) {
			return s.where(o.Name)
		}
	}
	return ""
}

// where is what the user wrote to give an option, or else its name.
func (s *Settings) where(name string) string {
	if origin := s.Origin(s.table.byName(name)); origin.Name != "" {
		return origin.Name
	}
	return name
}

// curveError names an option and shows no value.
func (s *Settings) curveError(name, problem string) error {
	return &Error{
		Where:   s.where(name),
		Problem: problem,
		Flag:    s.Origin(s.table.byName(name)).Place == FromFlag,
	}
}
