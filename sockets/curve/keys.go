package curve

import (
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// KeySize is the length of a key in octets.
const KeySize = 32

// keyChars is the length of a key's Z85 text.
const keyChars = KeySize / z85Octets * z85Chars

// Public is a public key. Its text form is Z85, 40 characters. The zero value
// stands for no key.
type Public [KeySize]byte

// ParsePublic reads a public key from its Z85 text.
func ParsePublic(text string) (Public, error) {
	var p Public
	err := p.UnmarshalText([]byte(text))
	return p, err
}

// String returns the key's Z85 text.
func (p Public) String() string { return string(appendZ85(make([]byte, 0, keyChars), p[:])) }

// IsZero reports whether this is no key.
func (p Public) IsZero() bool { return p == Public{} }

// MarshalText implements encoding.TextMarshaler: Z85.
func (p Public) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler: Z85. After an error the key
// is as it was.
func (p *Public) UnmarshalText(text []byte) error {
	return parseKey((*[KeySize]byte)(p), text, "public")
}

// Secret is a secret key. It has no text form but the one that Reveal gives: all
// printing and marshalling shows a placeholder. Copies share one piece of memory,
// so that Wipe reaches all of them. The zero value stands for no key.
type Secret struct{ hidden *hidden }

// hidden keeps a key where fmt finds only addresses: it follows one pointer for
// some verbs, never two, even where a Secret lies in an unexported field and fmt
// cannot call its methods.
type hidden struct{ key *[KeySize]byte }

// redacted stands for a secret key wherever one would be printed.
const redacted = "[secret key]"

// newSecret takes over the memory of key.
func newSecret(key *[KeySize]byte) Secret { return Secret{&hidden{key}} }

// ParseSecret reads a secret key from its Z85 text. Errors do not quote the text.
func ParseSecret(text string) (Secret, error) {
	var s Secret
	err := s.UnmarshalText([]byte(text))
	return s, err
}

// Reveal returns the key's Z85 text, to be written where secrets are kept; "" for
// no key.
func (s Secret) Reveal() string {
	if s.hidden == nil {
		return ""
	}
	return string(appendZ85(make([]byte, 0, keyChars), s.hidden.key[:]))
}

// Public returns the public key that belongs to the secret one. It fails for no
// key, and where the Go runtime is told to do no X25519 (GODEBUG=fips140=only).
func (s Secret) Public() (Public, error) {
	key, err := s.private()
	if err != nil {
		return Public{}, err
	}
	return publicOf(key), nil
}

// IsZero reports whether this is no key, or a wiped one.
func (s Secret) IsZero() bool { return s.hidden == nil || allZero(s.hidden.key[:]) }

// Equal compares in constant time.
func (s Secret) Equal(other Secret) bool {
	if s.hidden == nil || other.hidden == nil {
		return s.hidden == other.hidden
	}
	return sameKey(s.hidden.key[:], other.hidden.key[:])
}

// Wipe overwrites the key with zeros, for all copies.
func (s Secret) Wipe() {
	if s.hidden != nil {
		clear(s.hidden.key[:])
	}
}

// String returns a placeholder.
func (s Secret) String() string { return redacted }

// GoString returns a placeholder.
func (s Secret) GoString() string { return redacted }

// Format writes a placeholder for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue implements slog.LogValuer with a placeholder.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns a placeholder, so that no encoder shows the key.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalBinary returns a placeholder, so that no encoder shows the key.
func (s Secret) MarshalBinary() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalText implements encoding.TextUnmarshaler: Z85. After an error the key
// is as it was. Copies are not changed.
func (s *Secret) UnmarshalText(text []byte) error {
	key := new([KeySize]byte)
	if err := parseKey(key, text, "secret"); err != nil {
		return err
	}
	*s = newSecret(key)
	return nil
}

// private returns the key in the form that crypto/ecdh wants.
func (s Secret) private() (*ecdh.PrivateKey, error) {
	if s.IsZero() {
		return nil, errors.New("curve: the secret key is missing")
	}
	return privateKey(s.hidden.key[:])
}

// Generate makes a key pair from the system's randomness. It fails only where
// the Go runtime is told to do no X25519.
func Generate() (Public, Secret, error) {
	private, err := generate(rand.Reader)
	if err != nil {
		return Public{}, Secret{}, err
	}
	return publicOf(private), newSecret((*[KeySize]byte)(private.Bytes())), nil
}

func generate(random io.Reader) (*ecdh.PrivateKey, error) {
	var key [KeySize]byte
	defer clear(key[:])
	if _, err := io.ReadFull(random, key[:]); err != nil {
		return nil, fmt.Errorf("curve: random numbers: %w", err)
	}
	return privateKey(key[:])
}

func privateKey(key []byte) (*ecdh.PrivateKey, error) {
	private, err := ecdh.X25519().NewPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("curve: %w", err)
	}
	return private, nil
}

func publicOf(key *ecdh.PrivateKey) Public { return Public(key.PublicKey().Bytes()) }

// ownPair checks a peer's own key pair: the secret must be there; the public key
// may be left out, but if given it must belong to the secret.
func ownPair(public Public, secret Secret) (Public, *ecdh.PrivateKey, error) {
	private, err := secret.private()
	if err != nil {
		return Public{}, nil, err
	}
	derived := publicOf(private)
	if !public.IsZero() && public != derived {
		return Public{}, nil, fmt.Errorf("the public key %s does not belong to the secret key", public)
	}
	return derived, private, nil
}

// parseKey reads 40 characters of Z85; kind is for the error.
func parseKey(dst *[KeySize]byte, text []byte, kind string) error {
	if len(text) != keyChars {
		return fmt.Errorf("curve: a %s key has %d characters of Z85, this has %d", kind, keyChars, len(text))
	}
	var key [KeySize]byte
	defer clear(key[:])
	if err := decodeZ85(key[:], string(text)); err != nil {
		return fmt.Errorf("curve: %s key: %w", kind, err)
	}
	*dst = key
	return nil
}
