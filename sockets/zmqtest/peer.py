"""A libzmq peer that does what it is told over its standard input.

A request or an answer is one JSON object with a 4-byte length in front, then a
4-byte count of binary frames, each with a 4-byte length in front (big-endian).
Every socket has a thread of its own, so a socket that waits holds up no other;
requests for socket 0 concern the process. The end of the input ends it.
"""

import hashlib
import json
import os
import queue
import struct
import sys
import threading
import time
import traceback

try:
    import zmq
    import zmq.utils.z85
except ImportError as missing:
    zmq, MISSING = None, str(missing)

IN, OUT, OUT_LOCK = sys.stdin.buffer, sys.stdout.buffer, threading.Lock()
SLICE_MS = 20  # how long a loop waits before it looks at its stop flag again
SOCKETS = {}


def read_request():
    def block():
        size = IN.read(4)
        if len(size) < 4:
            raise EOFError
        size = struct.unpack(">I", size)[0]
        data = IN.read(size)
        if len(data) < size:
            raise EOFError
        return data

    header = json.loads(block())
    count = IN.read(4)
    if len(count) < 4:
        raise EOFError
    return header, [block() for _ in range(struct.unpack(">I", count)[0])]


def write_answer(header, frames=()):
    head = json.dumps(header).encode()
    with OUT_LOCK:
        OUT.write(struct.pack(">I", len(head)) + head + struct.pack(">I", len(frames)))
        for frame in frames:
            OUT.write(struct.pack(">I", len(frame)))
            OUT.write(frame)
        OUT.flush()


def answer(request, work):
    """Runs work and sends what it returned: None (sent already), a dict, or a dict and frames."""
    try:
        result = work()
    except zmq.ZMQError as err:
        write_answer({"id": request["id"], "errno": err.errno, "error": str(err)})
    except Exception:  # a wrong request must fail its test, not end the process
        write_answer({"id": request["id"], "errno": -1, "error": traceback.format_exc()})
    else:
        if result is not None:
            header, frames = result if isinstance(result, tuple) else (result, ())
            write_answer({"id": request["id"], **header}, frames)


class Pace:
    """Holds a loop back to a number of rounds per second; 0 does not."""

    def __init__(self, per_second):
        self.per_second, self.start = per_second, time.monotonic()

    def wait(self, done):
        if self.per_second:
            ahead = self.start + done / self.per_second - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)


class Socket(threading.Thread):
    """One zmq socket and the only thread that touches it."""

    def __init__(self, context, sock=None):
        super().__init__(daemon=True)
        self.context, self.sock = context, sock
        self.requests = queue.SimpleQueue()
        self.stopped = 0  # the latest job that is to end; it may not have begun yet
        self.start()

    def run(self):
        while True:
            request, frames = self.requests.get()
            answer(request, lambda: getattr(self, "do_" + request["op"])(request, frames))

    def do_open(self, request, _):
        self.sock = self.context.socket(getattr(zmq, request["type"]))
        return {}

    def do_set(self, request, frames):
        self.sock.setsockopt(request["option"], frames[0] if frames else request["value"])
        return {}

    def do_get(self, request, _):
        value = self.sock.getsockopt(request["option"])
        return ({}, [value]) if isinstance(value, bytes) else {"value": value}

    def do_bind(self, request, _):
        self.sock.bind(request["endpoint"])
        return {"endpoint": self.sock.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()}

    def do_connect(self, request, _):
        self.sock.connect(request["endpoint"])
        return {}

    def do_unbind(self, request, _):
        self.sock.unbind(request["endpoint"])
        return {}

    def do_disconnect(self, request, _):
        self.sock.disconnect(request["endpoint"])
        return {}

    def do_nothing(self, _request, _frames):
        return {}

    def do_close(self, request, _):
        self.sock.close(request["value"])
        return {}

    def do_send(self, request, frames):
        self.sock.setsockopt(zmq.SNDTIMEO, request["ms"])
        self.sock.send_multipart(frames)
        return {}

    def do_recv(self, request, _):
        if not self.sock.poll(request["ms"]):
            raise zmq.Again
        return {}, self.sock.recv_multipart(zmq.NOBLOCK)

    def do_monitor(self, request, _):
        end = self.sock.get_monitor_socket()
        SOCKETS[request["new"]] = Socket(self.context, end)
        return {}

    def do_proxy(self, request, _):
        name = "inproc://control-%d" % request["new"]
        control = self.context.socket(zmq.PAIR)
        control.bind(name)
        steering = self.context.socket(zmq.PAIR)
        steering.connect(name)
        SOCKETS[request["new"]] = Socket(self.context, steering)
        write_answer({"id": request["id"]})
        zmq.proxy_steerable(self.sock, SOCKETS[request["other"]].sock, None, control)
        control.close(0)

    def do_load(self, request, frames):
        """Sends numbered messages: topic, sender, serializer, 8-byte number and filling."""
        sender, serializer, *topics = frames
        filling = bytes(max(0, request["size"] - 8))
        count, refused, sent, digest = request["count"], 0, 0, hashlib.sha256()
        deadline, pace = time.monotonic() + request["ms"] / 1000, Pace(request["per_second"])
        self.sock.setsockopt(zmq.SNDTIMEO, SLICE_MS)
        send, flag = self.sock.send, zmq.NOBLOCK if request["dont_wait"] else 0
        more, ended = zmq.SNDMORE | flag, "count"
        while count == 0 or sent + refused < count:
            if self.stopped == request["id"]:
                ended = "stop"
                break
            turn = sent + refused
            topic = topics[turn % len(topics)]
            payload = struct.pack(">Q", request["first"] + turn) + filling
            try:
                send(topic, more)
            except zmq.Again:
                if flag:
                    refused += 1
                elif time.monotonic() > deadline:
                    ended = "deadline"
                    break
                continue
            send(sender, more)
            send(serializer, more)
            send(payload, flag)
            digest.update(topic)
            digest.update(payload)
            sent += 1
            pace.wait(sent + refused)
            if sent & 1023 == 0 and time.monotonic() > deadline:
                ended = "deadline"
                break
        return {"sent": sent, "refused": refused, "digest": digest.hexdigest(), "ended": ended}

    def do_gather(self, request, frames):
        """Counts what arrives, by sender, until the number, the markers, a stop or the deadline."""
        marker, markers, want = (frames[0] if frames else None), request["markers"], request["count"]
        deadline, pace = time.monotonic() + request["ms"] / 1000, Pace(request["per_second"])
        total = size = unnumbered = 0
        senders, ended = {}, "count"
        while want == 0 or total < want:
            if self.stopped == request["id"]:
                ended = "stop"
                break
            try:
                message = self.sock.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                if time.monotonic() > deadline:
                    ended = "deadline"
                    break
                self.sock.poll(SLICE_MS)
                continue
            if marker is not None and message[0] == marker:
                markers -= 1
                if markers == 0:
                    ended = "marker"
                    break
                continue
            total += 1
            size += sum(map(len, message))
            if len(message) == 4 and len(message[3]) >= 8:
                seen = senders.get(message[1])
                if seen is None:
                    seen = senders[message[1]] = Sequence()
                seen.add(message[0], message[3])
            else:
                unnumbered += 1
            pace.wait(total)
            if total & 1023 == 0 and time.monotonic() > deadline:
                ended = "deadline"
                break
        found = {name.decode("latin-1"): seen.summary() for name, seen in senders.items()}
        return {"messages": total, "bytes": size, "unnumbered": unnumbered, "senders": found, "ended": ended}


class Sequence:
    """What arrived of one sender's numbered messages."""

    def __init__(self):
        self.count = self.missing = self.backward = 0
        self.first = self.last = None
        self.digest = hashlib.sha256()

    def add(self, topic, payload):
        number = int.from_bytes(payload[:8], "big")
        if self.last is None:
            self.first = number
        elif number <= self.last:
            self.backward += 1
        else:
            self.missing += number - self.last - 1
        self.last = number
        self.count += 1
        self.digest.update(topic)
        self.digest.update(payload)

    def summary(self):
        return {"count": self.count, "first": self.first, "last": self.last, "missing": self.missing,
                "backward": self.backward, "digest": self.digest.hexdigest()}


def admit(context, keys):
    """Answers ZAP requests (RFC 27): only these CURVE client keys may come in."""
    handler = context.socket(zmq.REP)
    handler.bind("inproc://zeromq.zap.01")
    allowed = {zmq.utils.z85.decode(key) for key in keys}

    def serve():
        while True:
            version, number, *rest = handler.recv_multipart()
            known = len(rest) == 5 and rest[3] == b"CURVE" and rest[4] in allowed
            status = (b"200", b"OK") if known else (b"400", b"unknown key")
            handler.send_multipart([version, number, *status, b"", b""])

    threading.Thread(target=serve, daemon=True).start()


def leave(context, request):
    """Ends politely: what lingers is sent first, as long as each socket's LINGER says."""
    for one in SOCKETS.values():
        if one.sock is not None:
            one.sock.close()
    context.term()
    write_answer({"id": request["id"]})
    os._exit(0)


def main():
    if zmq is None:
        write_answer({"id": 0, "errno": -1, "error": MISSING})
        return
    context = zmq.Context()
    context.set(zmq.MAX_SOCKETS, 65535)  # libzmq's own limit is 1023
    threading.stack_size(256 << 10)
    write_answer({"id": 0, "version": zmq.zmq_version()})
    while True:
        request, frames = read_request()
        op, number = request["op"], request["sock"]
        if number:
            SOCKETS[number].requests.put((request, frames))
        elif op == "socket":
            SOCKETS[request["new"]] = Socket(context)
            SOCKETS[request["new"]].requests.put(({**request, "op": "open"}, ()))
        elif op == "stop":
            SOCKETS[request["other"]].stopped = request["job"]
            write_answer({"id": request["id"]})
        elif op == "keypair":
            answer(request, lambda: ({}, list(zmq.curve_keypair())))
        elif op == "admit":
            answer(request, lambda: admit(context, frames) or {})
        elif op == "leave":
            leave(context, request)


try:
    main()
except (EOFError, BrokenPipeError):
    pass
os._exit(0)
