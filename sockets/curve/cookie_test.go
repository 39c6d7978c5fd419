package curve

import (
	"crypto/rand"
	"errors"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// bake seals a cookie for these keys.
func bake(t *testing.T, c *cookies, nonce byte) *[cookieSize]byte {
	t.Helper()
	cookie, err := c.seal(nil, &[longNonceSize]byte{nonce}, &Public{1, nonce}, &[KeySize]byte{2, nonce})
	if err != nil || len(cookie) != cookieSize {
		t.Fatalf("cookie of %d octets, %v", len(cookie), err)
	}
	return (*[cookieSize]byte)(cookie)
}

// opens says whether a cookie of bake's can be opened, and checks what is in it.
func opens(t *testing.T, c *cookies, cookie *[cookieSize]byte) bool {
	t.Helper()
	var public Public
	var secret [KeySize]byte
	ok := c.open(cookie, &public, &secret)
	if ok && (public != Public{1, cookie[0]} || secret != [KeySize]byte{2, cookie[0]}) {
		t.Fatalf("cookie of %d opens as %v", cookie[0], public)
	}
	if !ok && (!public.IsZero() || secret != [KeySize]byte{}) {
		t.Fatal("a cookie that does not open gives keys")
	}
	return ok
}

// keys returns the keys a jar has now, and lets look at wiped ones.
func (c *cookies) keys(wiped ...*[32]byte) (current, previous *[32]byte, allWiped bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	allWiped = true
	for _, key := range wiped {
		allWiped = allWiped && *key == [32]byte{}
	}
	return c.current, c.previous, allWiped
}

// TestCookieLife: a cookie opens for CookieLife at least and twice that at most,
// and then no key is left in memory, nor a timer.
func TestCookieLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cookies{random: rand.Reader}
		early := bake(t, c, 1)
		first, _, _ := c.keys()
		time.Sleep(CookieLife - time.Second)
		late := bake(t, c, 2)
		if current, _, _ := c.keys(); current != first {
			t.Fatal("the key was replaced before its time")
		}
		time.Sleep(CookieLife - time.Second)
		synctest.Wait()
		next := bake(t, c, 3)
		second, previous, wiped := c.keys(first)
		if second == first || previous != first || wiped || *second == *first {
			t.Fatal("the key was not replaced in time")
		}
		for _, cookie := range []*[cookieSize]byte{early, late, next} {
			if !opens(t, c, cookie) {
				t.Fatalf("cookie %d does not open within its time", cookie[0])
			}
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if opens(t, c, early) || opens(t, c, late) || !opens(t, c, next) {
			t.Fatal("a cookie opens after twice the key's life, or one in between does not")
		}
		if _, _, wiped := c.keys(first); !wiped {
			t.Fatal("the key was not wiped")
		}
		time.Sleep(CookieLife)
		synctest.Wait()
		if current, previous, wiped := c.keys(first, second); current != nil || previous != nil || !wiped || opens(t, c, next) {
			t.Fatal("a key is left although there were no handshakes")
		}
		if again := bake(t, c, 4); !opens(t, c, again) {
			t.Fatal("no cookie after a pause")
		}
		// The bubble ends only when the last timer has run out.
		time.Sleep(3 * CookieLife)
		synctest.Wait()
		if current, previous, _ := c.keys(); current != nil || previous != nil {
			t.Fatal("a key is left")
		}
	})
}

// TestCookieFlipped flips every bit.
func TestCookieFlipped(t *testing.T) {
	c := &cookies{random: rand.Reader}
	good := bake(t, c, 1)
	for bit := range cookieSize * 8 {
		bad := *good
		bad[bit/8] ^= 1 << (bit % 8)
		if opens(t, c, &bad) {
			t.Fatalf("opens with bit %d flipped", bit)
		}
	}
	if !opens(t, c, good) {
		t.Fatal("the cookie itself does not open")
	}
	if other := (&cookies{random: rand.Reader}); opens(t, other, good) {
		t.Fatal("another server opens it")
	}
}

func TestCookieWithoutRandom(t *testing.T) {
	broken := errors.New("no random numbers")
	c := &cookies{random: iotest.ErrReader(broken)}
	if _, err := c.seal(nil, new([longNonceSize]byte), new(Public), new([KeySize]byte)); !errors.Is(err, broken) {
		t.Fatalf("error %v", err)
	}
}
