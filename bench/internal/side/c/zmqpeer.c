/*
 * libzmq publishers and subscribers for the load. It takes the same flags,
 * understands the same commands on standard input and answers with the same
 * JSON as the raw peers do (see the load package, whose message layout this
 * repeats: topic, sender, serializer, payload; the payload begins with a stamp
 * of publisher << 48 | sequence and a clock, both little-endian).
 *
 * Every publisher is an XPUB with VERBOSE and NODROP, every subscriber an XSUB,
 * as Zeek's nodes have them, each in a thread of its own and with a context, so
 * with an I/O thread, of its own, as nodes that are processes have. One I/O thread
 * for all would be what a run with CURVE measures, whatever the broker.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#define MAX_PUBS 1000
#define BUCKETS 3712 /* as in the hist package: 64 for each power of two */
#define PROBE_SEQ ((UINT64_C(1) << 48) - 1)
#define BATCH 64 /* messages between two looks at the commands */

static struct {
	const char *pub, *sub;
	int pubs, first_pub, subs, first_sub, size, topics, rate;
	char select; /* a'n'y, a'l'l or 'o'ne */
} cfg = {.size = 200, .topics = 1, .select = 'n'};

struct publisher {
	pthread_t thread;
	int number;
	uint64_t next;
	_Atomic uint64_t sent;
	atomic_int probes;  /* rounds asked for and not yet sent */
	atomic_int resting; /* it has seen that publishing ended */
};

struct subscriber {
	pthread_t thread;
	int number;
	_Atomic uint64_t received, misordered;
	atomic_int probed;
	_Atomic int64_t last, gap;
	atomic_uint latency[BUCKETS];
	uint64_t expect[MAX_PUBS];
	char heard[MAX_PUBS];
};

static atomic_int publishing;
static struct publisher *pubs;
static struct subscriber *subs;

static void fail(const char *what) {
	printf("{\"error\":\"%s: %s\"}\n", what, zmq_strerror(zmq_errno()));
	fflush(stdout);
	_exit(1);
}

static int64_t now(void) {
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void rest(void) {
	struct timespec ms = {0, 1000000};
	nanosleep(&ms, NULL);
}

static void put64(unsigned char *p, uint64_t v) {
	for (int i = 0; i < 8; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

static uint64_t get64(const unsigned char *p) {
	uint64_t v = 0;
	for (int i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

static void *connected(int type, const char *address) {
	char endpoint[256];
	int one = 1, zero = 0;
	void *ctx = zmq_ctx_new();
	void *s = ctx != NULL ? zmq_socket(ctx, type) : NULL;
	if (s == NULL || zmq_setsockopt(s, ZMQ_LINGER, &zero, sizeof zero) != 0)
		fail("socket");
	if (type == ZMQ_XPUB && (zmq_setsockopt(s, ZMQ_XPUB_VERBOSE, &one, sizeof one) != 0 ||
	                         zmq_setsockopt(s, ZMQ_XPUB_NODROP, &one, sizeof one) != 0))
		fail("XPUB options");
	/* CURVE with the keys of Zeek's environment, if there are any. */
	const char *server = getenv("ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_SERVER_PUBLICKEY");
	const char *public = getenv("ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_CLIENT_PUBLICKEY");
	const char *secret = getenv("ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_CLIENT_SECRETKEY");
	if (server != NULL && public != NULL && secret != NULL &&
	    (zmq_setsockopt(s, ZMQ_CURVE_SERVERKEY, server, 41) != 0 ||
	     zmq_setsockopt(s, ZMQ_CURVE_PUBLICKEY, public, 41) != 0 ||
	     zmq_setsockopt(s, ZMQ_CURVE_SECRETKEY, secret, 41) != 0))
		fail("CURVE options");
	snprintf(endpoint, sizeof endpoint, "tcp://%s", address);
	if (zmq_connect(s, endpoint) != 0)
		fail(endpoint);
	return s;
}

/* send_message blocks while the publisher's queue is full. */
static void send_message(void *s, const char *topic, const char *sender, unsigned char *payload) {
	const struct {
		const void *data;
		size_t size;
	} frames[] = {{topic, strlen(topic)}, {sender, strlen(sender)}, {"broker-bin-v1", 13}, {payload, (size_t)cfg.size}};
	for (int i = 0; i < 4; i++) {
		while (zmq_send(s, frames[i].data, frames[i].size, i < 3 ? ZMQ_SNDMORE : 0) < 0) {
			if (zmq_errno() == EAGAIN)
				rest();
			else if (zmq_errno() != EINTR)
				fail("send");
		}
	}
}

static void swallow(void *s) {
	char prefix[256];
	while (zmq_recv(s, prefix, sizeof prefix, ZMQ_DONTWAIT) >= 0) {
	}
}

static void *publish(void *arg) {
	struct publisher *p = arg;
	char sender[64], topic[64];
	unsigned char *payload = malloc((size_t)cfg.size);
	void *s = connected(ZMQ_XPUB, cfg.pub);
	int64_t due = 0;
	int64_t interval = cfg.rate > 0 ? INT64_C(1000000000) * cfg.pubs / cfg.rate : 0;

	memset(payload, 'a', (size_t)cfg.size);
	snprintf(sender, sizeof sender, "zeromq_bench-%03d_host_31150_NmpjWG3NH0KtcLUE0f", p->number);
	for (;;) {
		swallow(s);
		if (atomic_load(&p->probes) > 0) {
			put64(payload, (uint64_t)p->number << 48 | PROBE_SEQ);
			put64(payload + 8, 0);
			for (int i = 0; i < cfg.topics; i++) {
				snprintf(topic, sizeof topic, "zeek.cluster.bench.%04d.", i);
				send_message(s, topic, sender, payload);
			}
			atomic_fetch_sub(&p->probes, 1);
		}
		if (!atomic_load(&publishing)) {
			atomic_store(&p->resting, 1);
			due = 0;
			rest();
			continue;
		}
		atomic_store(&p->resting, 0);
		for (int i = 0; i < (interval ? 1 : BATCH); i++) {
			put64(payload, (uint64_t)p->number << 48 | p->next);
			put64(payload + 8, 0);
			if (interval) {
				due = due ? due + interval : now();
				struct timespec at = {due / 1000000000, due % 1000000000};
				while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR) {
				}
				put64(payload + 8, (uint64_t)now());
			}
			snprintf(topic, sizeof topic, "zeek.cluster.bench.%04d.", (int)(p->next % (uint64_t)cfg.topics));
			send_message(s, topic, sender, payload);
			p->next++;
		}
		atomic_store(&p->sent, p->next);
	}
	return NULL;
}

static int bucket(int64_t v) {
	if (v < 64)
		return v < 0 ? 0 : (int)v;
	int shift = 63 - __builtin_clzll((unsigned long long)v) - 6;
	return shift * 64 + (int)(v >> shift);
}

static void take(struct subscriber *s, const unsigned char *payload) {
	uint64_t stamp = get64(payload), seq = stamp & PROBE_SEQ;
	int64_t sent = (int64_t)get64(payload + 8), t = now();
	unsigned publisher = (unsigned)(stamp >> 48) % MAX_PUBS;
	if (seq == PROBE_SEQ) {
		if (!s->heard[publisher]) {
			s->heard[publisher] = 1;
			atomic_fetch_add(&s->probed, 1);
		}
		return;
	}
	if (s->last != 0 && t - s->last > s->gap)
		s->gap = t - s->last;
	s->last = t;
	if (seq < s->expect[publisher])
		s->misordered++;
	else
		s->expect[publisher] = seq + 1;
	if (sent != 0)
		s->latency[bucket(t - sent)]++;
	atomic_store_explicit(&s->received, s->received + 1, memory_order_relaxed);
}

static void *subscribe(void *arg) {
	struct subscriber *s = arg;
	void *sock = connected(ZMQ_XSUB, cfg.sub);
	for (int i = 0; i < cfg.topics; i++) {
		char prefix[64] = "\001";
		if (cfg.select == 'o' && i != s->number % cfg.topics)
			continue;
		if (cfg.select != 'n')
			snprintf(prefix + 1, sizeof prefix - 1, "zeek.cluster.bench.%04d.", i);
		else if (i > 0)
			break;
		if (zmq_send(sock, prefix, strlen(prefix), 0) < 0)
			fail("subscribe");
	}
	for (;;) {
		int frames = 0, more = 1;
		while (more) {
			zmq_msg_t m;
			zmq_msg_init(&m);
			while (zmq_msg_recv(&m, sock, 0) < 0) {
				if (zmq_errno() != EINTR)
					fail("receive");
			}
			more = zmq_msg_more(&m);
			if (++frames == 4 && !more && zmq_msg_size(&m) == (size_t)cfg.size)
				take(s, zmq_msg_data(&m));
			zmq_msg_close(&m);
		}
		if (frames != 4) {
			printf("{\"error\":\"a message of %d frames\"}\n", frames);
			fflush(stdout);
			_exit(1);
		}
	}
	return NULL;
}

static void snap(void) {
	uint64_t misordered = 0;
	int64_t t = now();
	const char *comma = "";
	printf("{\"clock\":%lld,\"sent\":[", (long long)t);
	for (int i = 0; i < cfg.pubs; i++)
		printf("%s%llu", i ? "," : "", (unsigned long long)pubs[i].sent);
	printf("],\"received\":[");
	for (int i = 0; i < cfg.subs; i++) {
		printf("%s%llu", i ? "," : "", (unsigned long long)subs[i].received);
		misordered += subs[i].misordered;
	}
	printf("],\"probed\":[");
	for (int i = 0; i < cfg.subs; i++)
		printf("%s%d", i ? "," : "", subs[i].probed);
	printf("],\"gaps\":[");
	for (int i = 0; i < cfg.subs; i++) {
		int64_t open = subs[i].last ? t - subs[i].last : 0;
		printf("%s%lld", i ? "," : "", (long long)(open > subs[i].gap ? open : subs[i].gap));
	}
	printf("],\"misordered\":%llu,\"latency\":[", (unsigned long long)misordered);
	for (int b = 0; b < BUCKETS; b++) {
		unsigned long long sum = 0;
		for (int i = 0; i < cfg.subs; i++)
			sum += subs[i].latency[b];
		if (sum > 0) {
			printf("%s[%d,%llu]", comma, b, sum);
			comma = ",";
		}
	}
	printf("]}\n");
	fflush(stdout);
}

static void pause_publishers(void) {
	atomic_store(&publishing, 0);
	for (int i = 0; i < cfg.pubs; i++)
		while (!atomic_load(&pubs[i].resting))
			rest();
}

static void command(const char *line) {
	if (strcmp(line, "go") == 0) {
		for (int i = 0; i < cfg.pubs; i++)
			atomic_store(&pubs[i].resting, 0);
		atomic_store(&publishing, 1);
	} else if (strcmp(line, "pause") == 0) {
		pause_publishers();
	} else if (strcmp(line, "probe") == 0) {
		for (int i = 0; i < cfg.pubs; i++)
			atomic_fetch_add(&pubs[i].probes, 1);
	} else if (strcmp(line, "mark") == 0) {
		for (int i = 0; i < cfg.subs; i++) {
			subs[i].gap = 0;
			if (subs[i].last != 0)
				subs[i].last = now();
		}
	} else if (strcmp(line, "snap") != 0) {
		printf("{\"error\":\"libzmq peers do not know %s\"}\n", line);
		fflush(stdout);
		return;
	}
	snap();
}

static int flags(int argc, char **argv) {
	for (int i = 1; i < argc; i++) {
		if (i + 1 == argc)
			return 0;
		const char *name = argv[i], *value = argv[++i];
		int n = atoi(value);
		if (strcmp(name, "-pub") == 0)
			cfg.pub = value;
		else if (strcmp(name, "-sub") == 0)
			cfg.sub = value;
		else if (strcmp(name, "-pubs") == 0)
			cfg.pubs = n;
		else if (strcmp(name, "-first-pub") == 0)
			cfg.first_pub = n;
		else if (strcmp(name, "-subs") == 0)
			cfg.subs = n;
		else if (strcmp(name, "-first-sub") == 0)
			cfg.first_sub = n;
		else if (strcmp(name, "-size") == 0)
			cfg.size = n;
		else if (strcmp(name, "-topics") == 0)
			cfg.topics = n;
		else if (strcmp(name, "-rate") == 0)
			cfg.rate = n;
		else if (strcmp(name, "-select") == 0 && strlen(value) == 3)
			cfg.select = value[0] == 'o' ? 'o' : value[1];
		else if (strcmp(name, "-role") == 0 && strcmp(value, "stream") != 0)
			return 0;
	}
	return cfg.pub && cfg.sub && cfg.size >= 16 && cfg.topics > 0 && cfg.pubs >= 0 && cfg.pubs + cfg.first_pub < MAX_PUBS &&
	       cfg.subs >= 0;
}

int main(int argc, char **argv) {
	char line[256];
	if (!flags(argc, argv)) {
		printf("{\"error\":\"libzmq peers cannot do this\"}\n");
		return 1;
	}
	pubs = calloc((size_t)cfg.pubs + 1, sizeof *pubs);
	subs = calloc((size_t)cfg.subs + 1, sizeof *subs);
	if (pubs == NULL || subs == NULL)
		fail("memory");
	for (int i = 0; i < cfg.subs; i++) {
		subs[i].number = cfg.first_sub + i;
		if (pthread_create(&subs[i].thread, NULL, subscribe, &subs[i]) != 0)
			fail("thread");
	}
	for (int i = 0; i < cfg.pubs; i++) {
		pubs[i].number = cfg.first_pub + i;
		if (pthread_create(&pubs[i].thread, NULL, publish, &pubs[i]) != 0)
			fail("thread");
	}
	snap();
	while (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\n")] = 0;
		command(line);
	}
	_exit(0);
}
