/*
 * What pileup.c and churn.c share: listeners on 127.0.X.Y:9000, and connections to them that are closed by the client
 * first, so that the client's side stays in TIME_WAIT for 60 s and the server's side is gone.
 *
 * Each run takes a block of its own (X), so that its sockets never meet those of an earlier run. A block has up to 250
 * destinations (Y), because the ephemeral ports count per destination, and only half of them are cheap:
 * __inet_hash_connect() (net/ipv4/inet_hashtables.c) tries every port of one parity before one of the other. Beyond
 * half of the range connect() is some 50 times slower.
 *
 * Include it first: it asks for GNU's accept4().
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PORT = 9000, PER_DESTINATION = 14000, MOST_DESTINATIONS = 250 };

struct destination {
    struct sockaddr_in address;
    int listener;
};

static void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static long number(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);

    if (*end || end == text || value < 0) {
        fprintf(stderr, "not a number: `%s`\n", text);
        exit(2);
    }
    return value;
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static void allow_many_descriptors(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static struct destination listen_on(long block, long index)
{
    struct destination made = { .address = { .sin_family = AF_INET, .sin_port = htons(PORT) } };
    int yes = 1;

    made.address.sin_addr.s_addr = htonl(127u << 24 | (block & 0xff) << 8 | (index + 1));
    made.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (made.listener < 0)
        die("socket");
    setsockopt(made.listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(made.listener, (struct sockaddr *)&made.address, sizeof made.address) || listen(made.listener, 4096))
        die("listen");
    return made;
}

/* A connection to the destination: the client's descriptor, and the server's in `server`. */
static int open_pair(const struct destination *to, int *server)
{
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (client < 0)
        die("socket");
    if (connect(client, (const struct sockaddr *)&to->address, sizeof to->address))
        die("connect");
    *server = accept4(to->listener, NULL, NULL, SOCK_CLOEXEC);
    if (*server < 0)
        die("accept");
    return client;
}
