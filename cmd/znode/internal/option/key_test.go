package option

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/znode/znode/sockets/curve"
)

// TestSecretKey: a key comes as it is or from a file that others cannot read, and
// no error repeats it.
func TestSecretKey(t *testing.T) {
	t.Parallel()
	public, secret, err := curve.Generate()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key := secret.Reveal()
	for text, want := range map[string]string{
		key:                                                     "",
		"file:" + write("good", key+"\n", 0o600):                "",
		"file:" + write("group", key, 0o640):                    "",
		"file:" + write("open", key, 0o644):                     "open: mode 0644 lets others read or the group write it; chmod 600 it",
		"file:" + write("empty", "", 0o600):                     "want 40 characters of Z85",
		"file:" + write("long", strings.Repeat(key, 99), 0o600): "long: too long for a key",
		"file:" + dir + "/none":                                 "none: no such file or directory",
		key[:39]:                                                "want 40 characters of Z85",
		key[:39] + "~":                                          "want 40 characters of Z85",
	} {
		s, err := Load(Request{Command: "pub", Use: Pub, Args: []string{"--curve-client-secretkey", text}})
		if want == "" {
			if err != nil || s.Config.CurveClientSecretKey.Reveal() != key {
				t.Errorf("%v", err)
			}
			if o := all().byName("curve_client_secretkey"); err == nil && o.Text(&s.Config) != Hidden {
				t.Errorf("it shows as %s", o.Text(&s.Config))
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), key[:10]) {
			t.Errorf("want %s, got %v", want, err)
		}
	}
	s, err := Load(Request{Command: "pub", Use: Pub, Environ: []string{"ZNODE_CURVE_SERVER_PUBLICKEY=" + public.String()}})
	if err != nil || s.Config.CurveServerPublicKey != public {
		t.Errorf("public key: %v", err)
	}
}
