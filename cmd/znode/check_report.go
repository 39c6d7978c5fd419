package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/znode/znode/sockets"
)

// report is what znode check found.
type report struct {
	OK     bool         `json:"ok"`
	Checks []linkReport `json:"checks"`
	Nodes  []nodeReport `json:"nodes"`

	curve bool // keys are given
}

// Results of a check.
const (
	resultOK      = "ok"
	resultProblem = "problem"
	resultSkipped = "skipped" // something before it failed
	resultNote    = "note"    // nothing to judge
)

// linkReport is one check.
type linkReport struct {
	Check  string `json:"check"`
	Target string `json:"target,omitempty"`
	Result string `json:"result"`
	Detail string `json:"detail,omitempty"`
	Advice string `json:"advice,omitempty"`
}

// nodeReport is a node of the cluster.
type nodeReport struct {
	Name    string `json:"name"`
	Type    string `json:"type,omitempty"` // if the layout says
	Present bool   `json:"present"`
	ID      string `json:"id,omitempty"`
	Detail  string `json:"detail,omitempty"`
	Problem string `json:"problem,omitempty"`
	Advice  string `json:"advice,omitempty"`
}

func (r *report) add(check, target, result, detail, advice string) {
	r.Checks = append(r.Checks, linkReport{check, target, result, detail, advice})
}

func (r *report) pass(check, target, detail string) { r.add(check, target, resultOK, detail, "") }
func (r *report) note(check, target, detail string) { r.add(check, target, resultNote, detail, "") }

func (r *report) fail(check, target, detail, advice string) {
	r.add(check, target, resultProblem, detail, advice)
}

// advise adds to the advice of the last check.
func (r *report) advise(advice string) { r.Checks[len(r.Checks)-1].Advice += " " + advice }

func (r *report) skip(checks ...string) {
	for _, c := range checks {
		r.add(c, "", resultSkipped, "not tried", "")
	}
}

func (r *report) has(result, check, target string) bool {
	return slices.ContainsFunc(r.Checks, func(c linkReport) bool {
		return c.Check == check && c.Target == target && c.Result == result
	})
}

func (r *report) skipped(check string) bool        { return r.has(resultSkipped, check, "") }
func (r *report) passed(check, target string) bool { return r.has(resultOK, check, target) }

func (r *report) ok() bool {
	return !slices.ContainsFunc(r.Checks, func(c linkReport) bool { return c.Result == resultProblem }) &&
		!slices.ContainsFunc(r.Nodes, func(n nodeReport) bool { return n.Problem != "" })
}

// link reports the first thing that happened to a connection, if anything did,
// and tells whether it was made.
func (r *report) link(check, endpoint string, e sockets.Event, happened bool) bool {
	if !happened {
		r.fail(check, endpoint, "no answer in time",
			"The process there may be stopped, or speaks no ZMTP, or a firewall drops what is sent there.")
		return false
	}
	if e.Kind == sockets.EventConnected {
		mechanism := "NULL"
		if r.curve {
			mechanism = "CURVE, keys accepted"
		}
		r.pass(check, endpoint, "connected, mechanism "+mechanism)
		return true
	}
	detail := e.Kind.String()
	if e.Err != nil {
		detail = oneLine(e.Err)
	}
	r.fail(check, endpoint, detail, r.advice(e))
	return false
}

// advice says what to do about a connection that was not made.
func (r *report) advice(e sockets.Event) string {
	switch e.Reason {
	case sockets.ReasonMechanism:
		if r.curve {
			return "This client has keys and what listens there has none. Leave out the curve_* options, or give it keys."
		}
		return "What listens there wants keys. Give curve_server_publickey, curve_client_publickey and curve_client_secretkey."
	case sockets.ReasonUnauthorized, sockets.ReasonPeerError:
		return "This client's key is not the one that is allowed. Compare curve_client_publickey with the cluster's."
	case sockets.ReasonSecurity:
		return "The keys do not fit. Compare curve_server_publickey with the cluster's."
	case sockets.ReasonSocketType:
		return "This is another kind of socket. The endpoints may be swapped: a node's XPUB connects to the broker's XSUB, its XSUB to the broker's XPUB, its PUSH to a logger."
	case sockets.ReasonGreeting:
		return "What listens there does not speak ZMTP 3. Is the port right?"
	case sockets.ReasonClosed:
		if r.curve {
			return "A server closes without a word when the client has the wrong key of it. Compare curve_server_publickey with the cluster's."
		}
		return "It accepts and closes at once: too many connections, or something between that does so."
	}
	if e.Kind == sockets.EventDialFailed {
		return "Is it running, does it listen at this address, and does a firewall let this through?"
	}
	return "See the log of the process there."
}

// write prints the report as a table, or as JSON.
func (r *report) write(w io.Writer, asJSON bool) error {
	r.OK = r.ok()
	if asJSON {
		if r.Nodes == nil {
			r.Nodes = []nodeReport{}
		}
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		return e.Encode(r)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "CHECK\tRESULT\tDETAIL")
	for _, c := range r.Checks {
		row(t, join(c.Check, c.Target), c.Result, c.Detail, c.Advice)
	}
	for _, n := range r.Nodes {
		name := "node " + string(quoteName([]byte(n.Name)))
		if n.Type != "" {
			name += " (" + n.Type + ")"
		}
		switch {
		case n.Problem != "":
			row(t, name, resultProblem, n.Problem, n.Advice)
		case n.Detail != "":
			row(t, name, resultOK, n.Detail, "")
		default:
			row(t, name, resultOK, string(quoteName([]byte(n.ID))), "")
		}
	}
	return t.Flush()
}

func row(w io.Writer, check, result, detail, advice string) {
	fmt.Fprintf(w, "%s\t%s\t%s\n", check, result, detail)
	if advice != "" {
		fmt.Fprintf(w, "\t\t-> %s\n", advice)
	}
}

func join(check, target string) string {
	if target == "" {
		return check
	}
	return check + " " + target
}
