package curve

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestZ85(t *testing.T) {
	for _, c := range []struct {
		data, text string
	}{
		{"", ""},
		{"\x86\x4f\xd2\x6f\xb5\x59\xf7\x5b", "HelloWorld"}, // RFC 32, "Test Case"
		{"\x00\x00\x00\x00", "00000"},
		{"\xff\xff\xff\xff", "%nSc0"},
	} {
		text, err := EncodeZ85([]byte(c.data))
		if err != nil || text != c.text {
			t.Errorf("EncodeZ85(%x) = %q, %v, want %q", c.data, text, err, c.text)
		}
		data, err := DecodeZ85(c.text)
		if err != nil || string(data) != c.data {
			t.Errorf("DecodeZ85(%q) = %x, %v, want %x", c.text, data, err, c.data)
		}
	}
}

func TestZ85Refused(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"Hell", "4 characters"},
		{"HelloW", "6 characters"},
		{"Hello Worl", "character 6 "},
		{"Hel\"o", "character 4 "},
		{"Hello\x80orld", "character 6 "},
		{"Hell\xc3\xb6orld", "character 5 "},
		{"00000%nSc1", "characters 6 to 10 "}, // one more than 2^32-1
		{"#####", "characters 1 to 5 "},
	} {
		data, err := DecodeZ85(c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) || data != nil {
			t.Errorf("DecodeZ85(%q) = %x, %v, want an error with %q", c.text, data, err, c.want)
		}
	}
	for n := range 12 {
		if _, err := EncodeZ85(make([]byte, n)); (err == nil) != (n%4 == 0) {
			t.Errorf("EncodeZ85 of %d octets: %v", n, err)
		}
	}
}

// TestZ85EveryOctet puts each octet into the place of each digit.
func TestZ85EveryOctet(t *testing.T) {
	for at := range 5 {
		for b := range 256 {
			text := []byte("00000")
			text[at] = byte(b)
			data, err := DecodeZ85(string(text))
			value := strings.IndexByte(z85Digits, byte(b))
			if (err == nil) != (value >= 0 && (at > 0 || value < 83)) {
				t.Fatalf("digit %#02x at %d: %v", b, at, err)
			}
			if err != nil {
				continue
			}
			if again, _ := EncodeZ85(data); again != string(text) {
				t.Fatalf("%q came back as %q", text, again)
			}
		}
	}
}

func TestZ85RoundTrip(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 1000 {
		data := make([]byte, 4*r.IntN(20))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		text, err := EncodeZ85(data)
		if err != nil {
			t.Fatal(err)
		}
		back, err := DecodeZ85(text)
		if err != nil || !bytes.Equal(back, data) {
			t.Fatalf("%x became %q and %x, %v", data, text, back, err)
		}
	}
}
