/*
 * The reference broker: libzmq's proxy between an XSUB and an XPUB, with the
 * options that Zeek gives its own (XPUB_VERBOSER, XPUB_NODROP, two I/O threads,
 * everything else as libzmq has it), until standard input ends.
 *
 * With a server's secret key in Zeek's environment it takes CURVE clients of any
 * key: there is no ZAP handler, which would only be asked in handshakes.
 *
 * usage: zmqproxy ip:port-for-publishers ip:port-for-subscribers
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

static void need(int ok, const char *what) {
	if (!ok) {
		fprintf(stderr, "%s: %s\n", what, zmq_strerror(zmq_errno()));
		exit(1);
	}
}

static void *open_socket(void *ctx, int type, const char *address) {
	char endpoint[256];
	int one = 1;
	void *s = zmq_socket(ctx, type);
	need(s != NULL, "socket");
	if (type == ZMQ_XPUB) {
		need(zmq_setsockopt(s, ZMQ_XPUB_VERBOSER, &one, sizeof one) == 0, "XPUB_VERBOSER");
		need(zmq_setsockopt(s, ZMQ_XPUB_NODROP, &one, sizeof one) == 0, "XPUB_NODROP");
	}
	const char *secret = getenv("ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_SERVER_SECRETKEY");
	if (secret != NULL) {
		need(zmq_setsockopt(s, ZMQ_CURVE_SERVER, &one, sizeof one) == 0, "CURVE_SERVER");
		need(zmq_setsockopt(s, ZMQ_CURVE_SECRETKEY, secret, 41) == 0, "CURVE_SECRETKEY");
	}
	snprintf(endpoint, sizeof endpoint, "tcp://%s", address);
	need(zmq_bind(s, endpoint) == 0, endpoint);
	return s;
}

static void *end_with_stdin(void *unused) {
	char c;
	while (read(0, &c, 1) > 0) {
	}
	_exit(0);
	return unused;
}

int main(int argc, char **argv) {
	if (argc != 3) {
		fprintf(stderr, "usage: zmqproxy pub-address sub-address\n");
		return 2;
	}
	void *ctx = zmq_ctx_new();
	need(ctx != NULL, "context");
	need(zmq_ctx_set(ctx, ZMQ_IO_THREADS, 2) == 0, "IO_THREADS");
	void *xpub = open_socket(ctx, ZMQ_XPUB, argv[2]);
	void *xsub = open_socket(ctx, ZMQ_XSUB, argv[1]);
	void *control = zmq_socket(ctx, ZMQ_PAIR);
	need(control != NULL && zmq_bind(control, "inproc://control") == 0, "control");

	pthread_t watcher;
	if (pthread_create(&watcher, NULL, end_with_stdin, NULL) != 0) {
		fprintf(stderr, "no thread\n");
		return 1;
	}
	need(zmq_proxy_steerable(xsub, xpub, NULL, control) == 0, "proxy");
	return 0;
}
