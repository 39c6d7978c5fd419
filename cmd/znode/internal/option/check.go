package option

import "strings"

// Check finds values that are each allowed but do not go together in a process
// that does use. It opens and starts nothing.
func (s *Settings) Check(use Use) error {
	if use&(Logger|Demo) != 0 && s.Config.LogFormat == "tsv" {
		if s.Config.Separator == s.Config.SetSeparator {
			return s.conflict("separator", "set_separator", "must differ, or readers could not tell columns from elements")
		}
		if s.Config.EmptyField == s.Config.UnsetField {
			return s.conflict("empty_field", "unset_field", "must differ, or readers could not tell them apart")
		}
	}
	if err := s.checkEndpoints(use); err != nil {
		return err
	}
	return s.checkCurve(use)
}

// checkEndpoints refuses to listen twice at one place, which the kernel would
// only report as in use.
func (s *Settings) checkEndpoints(use Use) error {
	taken := map[string]string{}
	for _, o := range all() {
		text, isText := o.Field(&s.Config).(*string)
		if o.Use&use == 0 || !isText || !strings.HasPrefix(o.Name, "listen_") || isWildcardPort(*text) {
			continue
		}
		if other := taken[*text]; other != "" {
			return s.conflict(other, o.Name, "must differ; each needs a place of its own")
		}
		taken[*text] = o.Name
	}
	return nil
}

// isWildcardPort tells whether the kernel chooses a new port at each listening.
func isWildcardPort(endpoint string) bool {
	return strings.HasPrefix(endpoint, "tcp://") &&
		(strings.HasSuffix(endpoint, ":0") || strings.HasSuffix(endpoint, ":*"))
}

func (s *Settings) conflict(first, second, problem string) error {
	a, b := all().byName(first), all().byName(second)
	return &Error{
		Where:   s.written(a) + " and " + s.written(b),
		Problem: problem,
		Flag:    s.Origin(a).Place == FromFlag || s.Origin(b).Place == FromFlag,
	}
}

// written is where the value of o stands and what it is.
func (s *Settings) written(o *Option) string {
	where := s.Origin(o).Name
	if where == "" {
		where = "default " + o.Name
	}
	return where + ` "` + visible(o.Text(&s.Config)) + `"`
}
