"""Writes handshake.txt: a CURVE handshake (RFC 26) and the first frames of both
directions for fixed keys and nonces, computed with libsodium's crypto_box and
crypto_secretbox. Run it in this directory: python3 vectors.py > handshake.txt
"""

import ctypes
import ctypes.util
import hashlib
import struct

sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
assert sodium.sodium_init() >= 0


def fixed(name, size=32):
    return hashlib.sha256(name.encode()).digest()[:size]


def public(secret):
    out = ctypes.create_string_buffer(32)
    assert sodium.crypto_scalarmult_base(out, secret) == 0
    return out.raw


def box(message, nonce, to_public, from_secret):
    out = ctypes.create_string_buffer(len(message) + 16)
    size = ctypes.c_ulonglong(len(message))
    assert len(nonce) == 24
    assert sodium.crypto_box_easy(out, message, size, nonce, to_public, from_secret) == 0
    return out.raw


def secretbox(message, nonce, key):
    out = ctypes.create_string_buffer(len(message) + 16)
    size = ctypes.c_ulonglong(len(message))
    assert len(nonce) == 24
    assert sodium.crypto_secretbox_easy(out, message, size, nonce, key) == 0
    return out.raw


def short(n):
    return struct.pack(">Q", n)


def frame(flags, body):
    if len(body) > 255:
        return bytes([flags | 2]) + struct.pack(">Q", len(body)) + body
    return bytes([flags, len(body)]) + body


def command(name, data):
    return frame(4, bytes([len(name)]) + name + data)


def metadata(kind):
    return b"\x0bSocket-Type" + struct.pack(">I", len(kind)) + kind


s, c = fixed("server long-term"), fixed("client long-term")
st, ct = fixed("server short-term"), fixed("client short-term")
S, C, ST, CT = public(s), public(c), public(st), public(ct)
cookie_key = fixed("cookie key")
cookie_nonce = fixed("cookie nonce", 16)
welcome_nonce = fixed("welcome nonce", 16)
vouch_nonce = fixed("vouch nonce", 16)

hello = b"\x01\x00" + bytes(72) + CT + short(1) + box(bytes(64), b"CurveZMQHELLO---" + short(1), S, ct)
cookie = cookie_nonce + secretbox(CT + st, b"COOKIE--" + cookie_nonce, cookie_key)
welcome = welcome_nonce + box(ST + cookie, b"WELCOME-" + welcome_nonce, CT, s)
vouch = vouch_nonce + box(CT + S, b"VOUCH---" + vouch_nonce, ST, c)
initiate = cookie + short(2) + box(C + vouch + metadata(b"XSUB"), b"CurveZMQINITIATE" + short(2), ST, ct)
ready = short(1) + box(metadata(b"XPUB"), b"CurveZMQREADY---" + short(1), CT, st)


def body(size):
    return bytes((i * 7 + size) & 255 for i in range(size))


def message(prefix, n, inner, text, to_public, from_secret):
    sealed = box(bytes([inner]) + text, prefix + short(n), to_public, from_secret)
    return frame(0, b"\x07MESSAGE" + short(n) + sealed)


def show(name, data):
    print("%s: %s" % (name, data.hex()))


print("# Written by vectors.py with libsodium: see there.")
show("server-secret", s)
show("server-public", S)
show("client-secret", c)
show("client-public", C)
show("server-random", st + cookie_nonce + welcome_nonce + cookie_key)
show("client-random", ct + vouch_nonce)
show("hello", command(b"HELLO", hello))
show("welcome", command(b"WELCOME", welcome))
show("initiate", command(b"INITIATE", initiate))
show("ready", command(b"READY", ready))
# Frames: direction, ZMTP flags, length of the body, the frame as it travels.
sizes = [0, 1, 5, 30, 31, 32, 33, 200, 222, 223, 224, 255, 256, 500, 700]
for n, size in enumerate(sizes):
    zmtp, inner = ((0, 0), (1, 1), (4, 2))[n % 3]
    print("client-frame: %d %d %s" % (zmtp, size, message(b"CurveZMQMESSAGEC", 3 + n, inner, body(size), ST, ct).hex()))
    print("server-frame: %d %d %s" % (zmtp, size, message(b"CurveZMQMESSAGES", 2 + n, inner, body(size), CT, st).hex()))
