/*
 * Opens and closes connections at a steady rate until stdin is closed, then says what rate it reached. Every connection
 * leaves one socket in TIME_WAIT, so the table grows by `rate` a second for a minute, which is what keeps a reader of
 * /proc/net/tcp from ever reaching its end.
 *
 *     churn --rate R [--block B]
 *
 * Takes the destinations in turn (127.0.B.1:9000 and on: see loopback.h), with enough of them for 70 s of this rate.
 */
#include "loopback.h"

#include <getopt.h>
#include <poll.h>

enum { LONGEST_TIME_WAIT = 70, TICKS_A_SECOND = 200 };

static void read_order(int argc, char **argv, long *rate, long *block)
{
    static const struct option names[] = { { "rate", 1, NULL, 'r' }, { "block", 1, NULL, 'b' }, { NULL, 0, NULL, 0 } };
    int option;

    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1)
        switch (option) {
        case 'r': *rate = number(optarg); break;
        case 'b': *block = number(optarg); break;
        default: exit(2);
        }
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
        for (long i = 0; i < parcel && (seconds() - begun) * rate > made; i++, made++) {
            int server, client = open_pair(&to[made % count], &server);

            close(client);
            close(server);
        }
    return made;
}

int main(int argc, char **argv)
{
    static struct destination to[MOST_DESTINATIONS];
    long rate = 10000, block = 2, count, made;
    double begun;

    read_order(argc, argv, &rate, &block);
    count = rate * LONGEST_TIME_WAIT / PER_DESTINATION + 1;
    if (count > MOST_DESTINATIONS)
        count = MOST_DESTINATIONS;
    allow_many_descriptors();
    for (long i = 0; i < count; i++)
        to[i] = listen_on(block, i);
    begun = seconds();
    made = run(to, count, rate);
    printf("made %ld connections, %.0f a second\n", made, made / (seconds() - begun));
    return 0;
}
