/*
 * The byte pump: one thread that takes bytes from publishers and writes the same
 * bytes to every subscriber, with large reads and writes and nothing else. The
 * pump package says what it promises; it is the same in Go, for machines without
 * a C compiler. This one costs less, so it is the harder limit.
 *
 * usage: pump ip:port-for-publishers ip:port-for-subscribers
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Pieces for one subscriber are as large as pays; for several, small enough to
 * stay in the cache until the last of them has been written to. */
#define PIECE (256 << 10)
#define PIECE_FOR_MANY (128 << 10)
#define MAX_MESSAGE ((size_t)1 << 30)
#define MAX_PEERS 65536

enum { GREETING, READY, RUNNING };

struct peer {
	int fd, subscriber, stage;
	unsigned char *buf; /* a publisher's piece, or a handshake */
	size_t have, size;
	size_t off; /* subscriber: bytes of the current piece written */
};

static struct peer *peers[MAX_PEERS], *ready[MAX_PEERS];
static struct pollfd waiting[MAX_PEERS];
static int peer_count, ready_count, publishers, epoll_fd;
static struct peer pub_listener, sub_listener = {.subscriber = 1};

static void need(int ok, const char *what) {
	if (!ok) {
		perror(what);
		exit(1);
	}
}

static void watch(struct peer *p) {
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = p};
	need(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, p->fd, &e) == 0, "epoll");
}

static void listen_on(struct peer *p, const char *address) {
	char host[64];
	struct sockaddr_in at = {.sin_family = AF_INET};
	const char *colon = strrchr(address, ':');
	int one = 1;
	need(colon != NULL && (size_t)(colon - address) < sizeof host, "address");
	snprintf(host, sizeof host, "%.*s", (int)(colon - address), address);
	need(inet_pton(AF_INET, host, &at.sin_addr) == 1, "address");
	at.sin_port = htons((uint16_t)atoi(colon + 1));
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	need(p->fd >= 0 && setsockopt(p->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0, "socket");
	need(bind(p->fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(p->fd, 4096) == 0, "listen");
	watch(p);
}

static void drop(struct peer *p) {
	close(p->fd);
	p->fd = -1;
	if (!p->subscriber)
		publishers--;
	for (int i = 0; i < ready_count; i++)
		if (ready[i] == p)
			ready[i--] = ready[--ready_count];
}

static void accept_all(struct peer *listener) {
	static const unsigned char greeting[64] = {0xff, [9] = 0x7f, [10] = 3, [12] = 'N', 'U', 'L', 'L'};
	int fd, one = 1;
	while ((fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct peer *p = calloc(1, sizeof *p);
		need(p != NULL && peer_count < MAX_PEERS, "peers");
		p->fd = fd;
		p->subscriber = listener->subscriber;
		p->size = p->subscriber ? 8192 : PIECE;
		need((p->buf = malloc(p->size)) != NULL, "memory");
		need(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0, "TCP_NODELAY");
		peers[peer_count++] = p;
		publishers += !p->subscriber;
		watch(p);
		if (write(fd, greeting, sizeof greeting) != sizeof greeting)
			drop(p);
	}
}

static void consume(struct peer *p, size_t n) {
	p->have -= n;
	memmove(p->buf, p->buf + n, p->have);
}

/* greet goes on with a handshake, and asks a publisher for everything. */
static void greet(struct peer *p) {
	static const char as_xpub[] = "\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04XPUB";
	static const char as_xsub[] = "\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04XSUB";
	int ok = 1;
	if (p->stage == GREETING && p->have >= 64) {
		const size_t n = sizeof as_xpub - 1;
		ok = p->buf[0] == 0xff && write(p->fd, p->subscriber ? as_xpub : as_xsub, n) == (ssize_t)n;
		consume(p, 64);
		p->stage = READY;
	}
	if (ok && p->stage == READY && p->have >= 2 && p->have >= 2 + (size_t)p->buf[1]) {
		ok = p->buf[0] == 4;
		consume(p, 2 + (size_t)p->buf[1]);
		p->stage = RUNNING;
		if (p->subscriber)
			ready[ready_count++] = p;
		else
			ok = ok && write(p->fd, "\0\1\1", 3) == 3;
	}
	if (!ok)
		drop(p);
}

/* broadcast writes a piece to every subscriber and returns when all have it. */
static void broadcast(const unsigned char *piece, size_t size) {
	for (int i = 0; i < ready_count; i++)
		ready[i]->off = 0;
	for (;;) {
		int n = 0;
		for (int i = 0; i < ready_count; i++) {
			struct peer *s = ready[i];
			if (s->off == size)
				continue;
			ssize_t w = write(s->fd, piece + s->off, size - s->off);
			if (w < 0 && errno != EAGAIN && errno != EINTR) {
				drop(s);
				i--;
				continue;
			}
			s->off += w > 0 ? (size_t)w : 0;
			if (s->off < size)
				waiting[n++] = (struct pollfd){.fd = s->fd, .events = POLLOUT};
		}
		if (n == 0)
			return;
		poll(waiting, (nfds_t)n, -1);
	}
}

/* whole returns how many bytes are whole messages. */
static size_t whole(const unsigned char *b, size_t size) {
	size_t end = 0, at = 0;
	while (size - at >= 2) {
		size_t header = 2;
		uint64_t body = b[at + 1];
		if (b[at] & 2) {
			if (size - at < 9)
				break;
			header = 9;
			memcpy(&body, b + at + 1, 8);
			body = be64toh(body);
			need(body <= MAX_MESSAGE, "a frame is too large");
		}
		if (size - at - header < body)
			break;
		int more = b[at] & 1;
		at += header + body;
		if (!more)
			end = at;
	}
	return end;
}

static void forward(struct peer *p, size_t fresh) {
	size_t n = p->have;
	if (publishers > 1 || p->have > fresh)
		n = whole(p->buf, p->have);
	if (n > 0) {
		broadcast(p->buf, n);
		consume(p, n);
	}
	if (p->have == p->size) {
		need(p->size < MAX_MESSAGE, "a message is too large");
		need((p->buf = realloc(p->buf, p->size *= 2)) != NULL, "memory");
	}
}

static void serve(struct peer *p) {
	char nothing[4096];
	if (p == &pub_listener || p == &sub_listener) {
		accept_all(p);
		return;
	}
	if (p->fd < 0)
		return;
	int swallow = p->subscriber && p->stage == RUNNING;
	size_t room = p->size - p->have;
	if (!p->subscriber && ready_count > 1 && p->have < PIECE_FOR_MANY && p->size == PIECE)
		room = PIECE_FOR_MANY - p->have;
	ssize_t n = swallow ? read(p->fd, nothing, sizeof nothing) : read(p->fd, p->buf + p->have, room);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		drop(p);
		return;
	}
	if (n < 0 || swallow)
		return;
	p->have += (size_t)n;
	if (p->stage != RUNNING)
		greet(p);
	else
		forward(p, (size_t)n);
}

int main(int argc, char **argv) {
	struct epoll_event events[256];
	if (argc != 3) {
		fprintf(stderr, "usage: pump pub-address sub-address\n");
		return 2;
	}
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	need(epoll_fd >= 0, "epoll");
	listen_on(&pub_listener, argv[1]);
	listen_on(&sub_listener, argv[2]);
	for (;;) {
		int n = epoll_wait(epoll_fd, events, 256, -1);
		for (int i = 0; i < n; i++)
			serve(events[i].data.ptr);
	}
}
