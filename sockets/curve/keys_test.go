package curve

import (
	"bytes"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/go-zeromq/zmq4"

	"github.com/znode/znode/sockets"
)

// traces are the forms in which a key could show.
func traces(key []byte) []string {
	var decimal, hexes []string
	for _, b := range key[:4] {
		decimal = append(decimal, fmt.Sprint(b))
		hexes = append(hexes, fmt.Sprintf("%#x", b))
	}
	return []string{
		string(appendZ85(nil, key))[:10],
		hex.EncodeToString(key[:4]),
		strings.ToUpper(hex.EncodeToString(key[:4])),
		string(key[:4]),
		strings.Join(decimal, " "),
		strings.Join(decimal, ","),
		strings.Join(decimal, ", "),
		strings.Join(hexes, ", "),
		strings.Trim(fmt.Sprintf("%q", key[:4]), `"`),
	}
}

// TestTraces makes sure that the search below would find a key.
func TestTraces(t *testing.T) {
	key := [KeySize]byte{1, 2, 3, 200, 250}
	for _, shown := range []string{
		fmt.Sprint(key), fmt.Sprintf("%x", key), fmt.Sprintf("%#v", key), fmt.Sprintf("%X", key), fmt.Sprintf("%s", key),
		fmt.Sprintf("%q", key), Public(key).String(),
	} {
		if !shows(shown, key[:]) {
			t.Errorf("the key is not found in %q", shown)
		}
	}
}

func shows(text string, key []byte) bool {
	for _, trace := range traces(key) {
		if strings.Contains(text, trace) {
			return true
		}
	}
	return false
}

// TestSecretsDoNotShow prints whatever holds a secret in all ways there are.
func TestSecretsDoNotShow(t *testing.T) {
	is := newCast(t)
	public, secret := newPair(t)
	server, client := connected(t, is)
	mechanisms := []*direction{
		server.(*serverConn).in, server.(*serverConn).out, client.(*clientConn).in, client.(*clientConn).out,
	}
	keys := [][]byte{secret.hidden.key[:], is.server.secret.Bytes(), is.client.secret.Bytes(), is.server.cookies.current[:]}
	for _, d := range mechanisms {
		keys = append(keys, d.key[:])
	}
	type holder struct {
		Secret Secret
		Again  *Secret
		Many   []Secret
		Map    map[string]Secret
	}
	type concealed struct {
		mechanism zmq4.Security
		server    *Server
		client    *Client
		secret    Secret
		pointer   *Secret
	}
	values := []any{
		concealed{server.(zmq4.Security), is.server, is.client, secret, &secret},
		&concealed{client.(zmq4.Security), is.server, is.client, secret, &secret},
		secret, &secret, []Secret{secret}, [1]Secret{secret}, map[string]Secret{"key": secret},
		holder{secret, &secret, []Secret{secret}, map[string]Secret{"key": secret}},
		ServerOptions{Secret: secret, Public: public}, ClientOptions{Secret: secret},
		is.server, *is.server, is.client, *is.client, is.server.Mechanism(true),
		server, *server.(*serverConn), client, *client.(*clientConn),
	}
	var out bytes.Buffer
	text := slog.New(slog.NewTextHandler(&out, nil))
	lines := slog.New(slog.NewJSONHandler(&out, nil))
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%o", "%b", "%U", "%t"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		fmt.Fprintln(&out, v)
		text.Info("value", "v", v)
		lines.Info("value", "v", v)
		if b, err := json.Marshal(v); err == nil {
			out.Write(b)
		}
		_ = toml.NewEncoder(&out).Encode(map[string]any{"v": v})
		_ = gob.NewEncoder(&out).Encode(v)
		fmt.Fprintln(&out, errors.Join(fmt.Errorf("with %v", v)))
	}
	for _, key := range keys {
		if shows(out.String(), key) {
			t.Errorf("key %x shows in:\n%s", key, out.String())
		}
	}
	if !strings.Contains(out.String(), redacted) {
		t.Error("no placeholder was printed, so nothing was")
	}
	if secret.Reveal() != string(appendZ85(nil, secret.hidden.key[:])) || secret.String() != redacted || secret.GoString() != redacted {
		t.Error("Reveal, String or GoString is wrong")
	}
}

func TestParseKeys(t *testing.T) {
	public, secret := newPair(t)
	p, err := ParsePublic(public.String())
	if err != nil || p != public {
		t.Fatalf("ParsePublic: %v, %v", p, err)
	}
	s, err := ParseSecret(secret.Reveal())
	if err != nil || !s.Equal(secret) {
		t.Fatalf("ParseSecret: %v", err)
	}
	if derived, err := s.Public(); err != nil || derived != public {
		t.Fatalf("Public() = %v, %v, want %v", derived, err, public)
	}
	text, err := public.MarshalText()
	if err != nil || string(text) != public.String() {
		t.Fatalf("MarshalText: %q, %v", text, err)
	}
	good := secret.Reveal()
	for _, bad := range []string{"", good[:39], good + "0", good[:20] + " " + good[21:], "#####" + good[5:]} {
		before := s
		err := s.UnmarshalText([]byte(bad))
		if err == nil {
			t.Errorf("a secret key of %d characters was taken", len(bad))
			continue
		}
		if s != before || !s.Equal(secret) {
			t.Error("a refused text changed the key")
		}
		if len(bad) > 20 && strings.Contains(err.Error(), bad[6:20]) {
			t.Errorf("the error quotes the key: %v", err)
		}
		if _, err := ParsePublic(bad); err == nil {
			t.Errorf("a public key of %d characters was taken", len(bad))
		}
	}
	if secret.IsZero() || public.IsZero() || !(Public{}).IsZero() || !(Secret{}).IsZero() {
		t.Error("IsZero is wrong")
	}
	other := Secret{}
	if s.Equal(other) || !other.Equal(Secret{}) || other.Reveal() != "" {
		t.Error("no key is a key")
	}
	same := s
	same.Wipe()
	if !s.IsZero() || !secretIs(s, [KeySize]byte{}) || secret.IsZero() || s.Equal(secret) {
		t.Error("Wipe does not reach a copy, or another key")
	}
	other.Wipe()
	if _, err := s.Public(); err == nil {
		t.Error("a wiped key has a public key")
	}
}

func secretIs(s Secret, key [KeySize]byte) bool { return *s.hidden.key == key }

func TestOptionsRefused(t *testing.T) {
	serverPublic, serverSecret := newPair(t)
	clientPublic, clientSecret := newPair(t)
	lowOrder := Public{1}
	for name, c := range map[string]struct {
		server *ServerOptions
		client *ClientOptions
		want   string
	}{
		"server without secret":        {server: &ServerOptions{Public: serverPublic, Authorize: only()}, want: "secret key is missing"},
		"server with another's public": {server: &ServerOptions{Secret: serverSecret, Public: clientPublic, Authorize: only()}, want: "does not belong"},
		"server without Authorize":     {server: &ServerOptions{Secret: serverSecret}, want: "Authorize"},
		"client without secret":        {client: &ClientOptions{Server: serverPublic}, want: "secret key is missing"},
		"client without server":        {client: &ClientOptions{Secret: clientSecret}, want: "server's public key is missing"},
		"client with another's public": {client: &ClientOptions{Server: serverPublic, Secret: clientSecret, Public: serverPublic}, want: "does not belong"},
		"client with useless server":   {client: &ClientOptions{Server: lowOrder, Secret: clientSecret}, want: "unusable"},
	} {
		var err error
		if c.server != nil {
			_, err = NewServer(*c.server)
		} else {
			_, err = NewClient(*c.client)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", name, err, c.want)
			continue
		}
		if shows(err.Error(), serverSecret.hidden.key[:]) || shows(err.Error(), clientSecret.hidden.key[:]) {
			t.Errorf("%s: the error shows a secret: %v", name, err)
		}
	}
	server, err := NewServer(ServerOptions{Secret: serverSecret, Public: serverPublic, Authorize: only()})
	if err != nil || server.Public() != serverPublic {
		t.Errorf("server: %v", err)
	}
	client, err := NewClient(ClientOptions{Server: serverPublic, Secret: clientSecret, Public: clientPublic})
	if err != nil || client.Public() != clientPublic {
		t.Errorf("client: %v", err)
	}
}

// TestLowOrder: with a peer's key of low order anyone could compute the key of the
// box, so there is none.
func TestLowOrder(t *testing.T) {
	_, secret := newPair(t)
	own, err := secret.private()
	if err != nil {
		t.Fatal(err)
	}
	for _, peer := range []Public{{}, {1}} {
		var key [32]byte
		wantReason(t, agree(&key, own, &peer), sockets.ReasonSecurity)
		if key != [32]byte{} {
			t.Error("a key came of it")
		}
	}
}

// TestGenerateRandom: keys come from the source that is given, and its failure is
// an error.
func TestGenerateRandom(t *testing.T) {
	private, err := generate(bytes.NewReader(body(32)))
	if err != nil || !bytes.Equal(private.Bytes(), body(32)) {
		t.Fatalf("%v", err)
	}
	if _, err = generate(bytes.NewReader(body(31))); err == nil {
		t.Fatal("31 random octets are enough for a key")
	}
}
