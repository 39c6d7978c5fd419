package curve

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Z85 (RFC 32) writes 4 octets as 5 characters, both most significant first.
const (
	z85Octets = 4
	z85Chars  = 5
	z85Base   = 85
	z85Digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
)

// z85Values holds each character's value, z85Base for what is no digit.
var z85Values = func() (values [256]byte) {
	for c := range values {
		values[c] = z85Base
	}
	for v := range z85Digits {
		values[z85Digits[v]] = byte(v)
	}
	return values
}()

// EncodeZ85 returns data as Z85 text (RFC 32). The length of data must be a
// multiple of 4.
func EncodeZ85(data []byte) (string, error) {
	if len(data)%z85Octets != 0 {
		return "", fmt.Errorf("z85: %d octets, the number must be a multiple of 4", len(data))
	}
	return string(appendZ85(make([]byte, 0, len(data)/z85Octets*z85Chars), data)), nil
}

// DecodeZ85 returns what Z85 text stands for (RFC 32). The length of text must be
// a multiple of 5, and each five characters must stand for less than 2^32. Errors
// name the place and never quote the text, which may be a secret key.
func DecodeZ85(text string) ([]byte, error) {
	if len(text)%z85Chars != 0 {
		return nil, fmt.Errorf("z85: %d characters, the number must be a multiple of 5", len(text))
	}
	data := make([]byte, len(text)/z85Chars*z85Octets)
	if err := decodeZ85(data, text); err != nil {
		return nil, err
	}
	return data, nil
}

// appendZ85 appends the text of data, whose length is a multiple of 4.
func appendZ85(dst, data []byte) []byte {
	for ; len(data) > 0; data = data[z85Octets:] {
		v := binary.BigEndian.Uint32(data)
		var group [z85Chars]byte
		for i := z85Chars - 1; i >= 0; i-- {
			group[i] = z85Digits[v%z85Base]
			v /= z85Base
		}
		dst = append(dst, group[:]...)
	}
	return dst
}

// decodeZ85 writes to dst, which holds exactly what text stands for.
func decodeZ85(dst []byte, text string) error {
	for at := 0; at < len(text); at += z85Chars {
		var v uint64
		for i := at; i < at+z85Chars; i++ {
			digit := z85Values[text[i]]
			if digit == z85Base {
				return fmt.Errorf("z85: character %d is not a Z85 digit", i+1)
			}
			v = v*z85Base + uint64(digit)
		}
		if v > math.MaxUint32 {
			return fmt.Errorf("z85: characters %d to %d stand for more than 32 bits", at+1, at+z85Chars)
		}
		binary.BigEndian.PutUint32(dst[at/z85Chars*z85Octets:], uint32(v))
	}
	return nil
}
