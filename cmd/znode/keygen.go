package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/znode/znode/cmd/znode/internal/option"
	"github.com/znode/znode/sockets/curve"
)

func keygenCommand() *command {
	return &command{
		name:    "keygen",
		summary: "make a key pair for encryption",
		text: "Prints a new key pair as Zeek's generate_keypair does, in one line. With --toml a\n" +
			"part of the --config file: new keys for the broker and the loggers, and for the\n" +
			"nodes that connect to them. Keys are shown nowhere else.",
		examples: []string{
			"znode keygen",
			"umask 077; znode keygen --toml > /etc/znode.toml",
		},
		prepare: func() ([]option.Flag, action) {
			var asTOML bool
			flags := []option.Flag{{
				Name: "toml", Kind: option.Switch, Dst: &asTOML,
				Help: "print options of the file, for servers and clients",
			}}
			return flags, func(_ context.Context, p process, s *option.Settings) error {
				if err := noArguments("keygen", s); err != nil {
					return err
				}
				if asTOML {
					return writeKeysTOML(p.stdout)
				}
				return writeKeysJSON(p.stdout)
			}
		},
	}
}

// writeKeysJSON writes one pair. Z85 holds characters that encoding/json would
// escape for HTML.
func writeKeysJSON(w io.Writer) error {
	public, secret, err := curve.Generate()
	if err != nil {
		return err
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(struct {
		Public string `json:"public"`
		Secret string `json:"secret"`
	}{public.String(), secret.Reveal()})
}

// writeKeysTOML writes two pairs. Z85 has no quote and no backslash, so a key is
// a TOML string as it is.
func writeKeysTOML(w io.Writer) error {
	serverPublic, serverSecret, err := curve.Generate()
	if err != nil {
		return err
	}
	clientPublic, clientSecret, err := curve.Generate()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, `# Server: the broker and the loggers. Clients know the public key; only servers
# need the secret one.
curve_server_publickey = "%s"
curve_server_secretkey = "%s"

# Client: the cluster's nodes, which share one pair and have all rights. Servers
# need the public key only.
curve_client_publickey = "%s"
curve_client_secretkey = "%s"
`, serverPublic, serverSecret.Reveal(), clientPublic, clientSecret.Reveal())
	return err
}
