/*
 * Opens and closes connections at a steady rate until stdin is closed, then says what rate it reached. Every connection
 * leaves one socket in TIME_WAIT, so the table grows by `rate` a second for a minute, which is what keeps a reader of
 * /proc/net/tcp from ever reaching its end.
 *
 *     churn RATE
 *
 * Takes its destinations in turn, 127.200.0.1:9000 and on, which no scenario of `netkit lab` uses, and enough of them for
 * 70 s of this rate. The ephemeral ports count per destination, and only half of them are cheap: __inet_hash_connect()
 * (net/ipv4/inet_hashtables.c) tries every port of one parity before one of the other, some 50 times slower.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PORT = 9000, PER_DESTINATION = 14000, MOST_DESTINATIONS = 250, LONGEST_TIME_WAIT = 70, TICKS_A_SECOND = 200 };

struct destination {
    struct sockaddr_in address;
    int listener;
};

static int checked(int result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "churn: %s: %s\n", what, strerror(errno));
        exit(1);
    }
    return result;
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static void listen_on(struct destination *to, long index)
{
    to->address.sin_family = AF_INET;
    to->address.sin_port = htons(PORT);
    to->address.sin_addr.s_addr = htonl(127u << 24 | 200u << 16 | (index + 1));
    to->listener = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
    checked(bind(to->listener, (struct sockaddr *)&to->address, sizeof to->address), "bind");
    checked(listen(to->listener, 4096), "listen");
}

static void open_and_close(const struct destination *to)
{
    int client = checked(socket(AF_INET, SOCK_STREAM, 0), "socket"), server;

    checked(connect(client, (const struct sockaddr *)&to->address, sizeof to->address), "connect");
    server = checked(accept(to->listener, NULL, NULL), "accept");
    close(client); /* who closes first keeps TIME_WAIT */
    close(server);
}

/* Whether stdin has been closed by the runner. Waits for up to `wait` milliseconds. */
static int is_over(int wait)
{
    struct pollfd input = { .fd = 0, .events = POLLIN };
    char byte;

    return poll(&input, 1, wait) > 0 && read(0, &byte, 1) <= 0;
}

/* Keeps up with the clock: as many connections as are due by now, in small parcels, so that stdin is looked at. */
static long run(const struct destination *to, long count, long rate)
{
    double begun = seconds();
    long made = 0, parcel = rate / TICKS_A_SECOND + 1;

    while (!is_over((seconds() - begun) * rate > made ? 0 : 1000 / TICKS_A_SECOND))
        for (long i = 0; i < parcel && (seconds() - begun) * rate > made; i++, made++)
            open_and_close(&to[made % count]);
    return made;
}

int main(int argc, char **argv)
{
    static struct destination to[MOST_DESTINATIONS];
    long rate = argc == 2 ? atol(argv[1]) : 0, count = rate * LONGEST_TIME_WAIT / PER_DESTINATION + 1, made;
    double begun;

    if (rate <= 0)
        return 2;
    if (count > MOST_DESTINATIONS)
        count = MOST_DESTINATIONS;
    for (long i = 0; i < count; i++)
        listen_on(&to[i], i);
    begun = seconds();
    made = run(to, count, rate);
    printf("made %ld connections, %.0f a second\n", made, made / (seconds() - begun));
    return 0;
}
