/*
 * The load that echo servers are measured by: one epoll, a closed loop on every connection. Every byte that comes
 * back is compared.
 *
 *     load KIND WHERE CONNECTIONS SECONDS SIZE     round trips
 *     load KIND WHERE CONNECTIONS 0 0              connections that are held
 *     load KIND WHERE 1 0 BYTES                    one stream of so many bytes, there and back
 *
 * Connects, prints `connected MS ERRORS`, waits for a line, does it, prints `done ROUND-TRIPS US WRONG P50-US`, of a
 * stream `done BYTES US WRONG 0`, and holds its connections until another line comes.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 1024, BUFFER = 1 << 18, SLOTS = 200000 };

static char pattern[BUFFER], came[BUFFER];
static unsigned slots[SLOTS];

struct connection {
    int fd;
    int got;
    long sent_at;
};

static long now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

static int connected(const char *kind, const char *where)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int is_unix = !strcmp(kind, "unix"), is_udp = !strcmp(kind, "udp"), yes = 1, s;

    in.sin_port = htons(atoi(where));
    strncpy(un.sun_path, where, sizeof un.sun_path - 1);
    s = socket(is_unix ? AF_UNIX : AF_INET, is_udp ? SOCK_DGRAM : SOCK_STREAM, 0);
    if (s < 0)
        return -1;
    if (is_unix ? connect(s, (struct sockaddr *)&un, sizeof un) : connect(s, (struct sockaddr *)&in, sizeof in)) {
        close(s);
        return -1;
    }
    if (!is_unix && !is_udp)
        setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return s;
}

static void wait_for_line(void)
{
    int c;

    fflush(stdout);
    while ((c = getchar()) != '\n' && c != EOF)
        ;
}

static void send_one(struct connection *c, int size)
{
    c->got = 0;
    c->sent_at = now();
    if (send(c->fd, pattern, size, 0) != size) {
        perror("send");
        exit(3);
    }
}

/* Gives 1 for a whole reply, 0 for none yet, -1 if it is wrong or the connection is gone. */
static int receive(struct connection *c, int size)
{
    ssize_t length = recv(c->fd, came, size - c->got, MSG_DONTWAIT);

    if (length < 0 && errno == EAGAIN)
        return 0;
    if (length <= 0 || memcmp(came, pattern + c->got, length))
        return -1;
    c->got += length;
    return c->got == size;
}

static unsigned median(long total)
{
    long seen = 0;
    unsigned i;

    for (i = 0; i < SLOTS; i++)
        if ((seen += slots[i]) * 2 >= total)
            return i;
    return SLOTS;
}

static void round_trips(struct connection *all, int count, double seconds, int size)
{
    struct epoll_event events[EVENTS], event = { .events = EPOLLIN };
    long begun, end, done = 0, wrong = 0, t;
    int epoll = epoll_create1(0), ready, i, got;

    for (i = 0; i < count; i++) {
        event.data.ptr = &all[i];
        epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event);
    }
    begun = now();
    end = begun + (long)(seconds * 1e9);
    for (i = 0; i < count; i++)
        send_one(&all[i], size);
    while ((t = now()) < end) {
        ready = epoll_wait(epoll, events, EVENTS, 1000);
        for (i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;

            got = receive(c, size);
            if (got < 0) {
                wrong++;
                epoll_ctl(epoll, EPOLL_CTL_DEL, c->fd, NULL);
            } else if (got) {
                long took = (now() - c->sent_at) / 1000;

                slots[took < SLOTS ? took : SLOTS - 1]++;
                done++;
                send_one(c, size);
            }
        }
    }
    printf("done %ld %ld %ld %u\n", done, (t - begun) / 1000, wrong, median(done));
}

static void stream(int s, long bytes)
{
    long sent = 0, got = 0, begun = now(), wrong = 0;

    while (got < bytes) {
        struct pollfd wait = { .fd = s, .events = POLLIN | (sent < bytes ? POLLOUT : 0) };
        ssize_t length;

        poll(&wait, 1, -1);
        if (wait.revents & POLLOUT) {
            long most = bytes - sent < BUFFER ? bytes - sent : BUFFER;

            length = send(s, pattern, most, MSG_DONTWAIT);
            sent += length > 0 ? length : 0;
        }
        if (wait.revents & (POLLIN | POLLHUP)) {
            length = recv(s, came, BUFFER, MSG_DONTWAIT);
            if (length == 0 || (length < 0 && errno != EAGAIN)) {
                wrong++;
                break;
            }
            got += length > 0 ? length : 0;
        }
    }
    printf("done %ld %ld %ld 0\n", got, (now() - begun) / 1000, wrong);
}

int main(int argc, char **argv)
{
    struct connection *all;
    struct rlimit files;
    int count, i, errors = 0;
    double seconds;
    long size, begun;

    if (argc != 6)
        return 2;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    count = atoi(argv[3]);
    seconds = atof(argv[4]);
    size = atol(argv[5]);
    for (i = 0; i < BUFFER; i++)
        pattern[i] = 'a' + i % 23;
    all = calloc(count, sizeof *all);
    begun = now();
    for (i = 0; i < count; i++) {
        all[i].fd = connected(argv[1], argv[2]);
        if (all[i].fd < 0) {
            errors++;
            i--, count--;
        }
    }
    printf("connected %.1f %d\n", (now() - begun) / 1e6, errors);
    wait_for_line();
    if (seconds > 0)
        round_trips(all, count, seconds, size);
    else if (size > 0)
        stream(all[0].fd, size);
    else
        printf("done 0 0 0 0\n");
    wait_for_line();
    return 0;
}
