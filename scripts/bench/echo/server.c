/*
 * The least that an echo server can do: one epoll, level-triggered, one read and one write for each message, or
 * recvfrom and sendto. The limit that `netkit echo server` is held against. It keeps nothing for a client that
 * does not read: it waits for it.
 *
 *     server tcp PORT | unix PATH | udp PORT
 *
 * Prints a line when it serves.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { EVENTS = 1024, BUFFER = 65536, BACKLOG = 4096 };

static char buffer[BUFFER];

static void die(const char *what)
{
    perror(what);
    exit(3);
}

static int serve(const char *kind, const char *where)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int is_unix = !strcmp(kind, "unix"), is_udp = !strcmp(kind, "udp"), yes = 1, s;

    in.sin_port = htons(atoi(where));
    strncpy(un.sun_path, where, sizeof un.sun_path - 1);
    s = socket(is_unix ? AF_UNIX : AF_INET, (is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK, 0);
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (!is_unix && !is_udp)
        setsockopt(s, IPPROTO_TCP, 1 /* TCP_NODELAY */, &yes, sizeof yes);
    if (is_unix ? bind(s, (struct sockaddr *)&un, sizeof un) : bind(s, (struct sockaddr *)&in, sizeof in))
        die("bind");
    if (!is_udp && listen(s, BACKLOG))
        die("listen");
    return s;
}

static void add(int epoll, int s)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = s };

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, s, &event))
        die("epoll_ctl");
}

static void take(int epoll, int listener)
{
    int s;

    while ((s = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
        add(epoll, s);
}

static void echo(int s)
{
    ssize_t came = read(s, buffer, sizeof buffer), gone, at;

    if (came <= 0) {
        if (came == 0 || errno != EAGAIN)
            close(s);
        return;
    }
    for (at = 0; at < came; at += gone) {
        gone = write(s, buffer + at, came - at);
        if (gone < 0 && errno == EAGAIN) {
            struct pollfd wait = { .fd = s, .events = POLLOUT };

            poll(&wait, 1, -1);
            gone = 0;
        } else if (gone < 0) {
            close(s);
            return;
        }
    }
}

static void answer(int s)
{
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    ssize_t came;

    while ((came = recvfrom(s, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &length)) >= 0)
        sendto(s, buffer, came, 0, (struct sockaddr *)&from, length);
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];
    struct rlimit files;
    int epoll, own, count, i, is_udp;

    if (argc != 3)
        return 2;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    is_udp = !strcmp(argv[1], "udp");
    own = serve(argv[1], argv[2]);
    epoll = epoll_create1(0);
    add(epoll, own);
    puts("serving");
    fflush(stdout);
    for (;;) {
        count = epoll_wait(epoll, events, EVENTS, -1);
        for (i = 0; i < count; i++) {
            if (events[i].data.fd != own)
                echo(events[i].data.fd);
            else if (is_udp)
                answer(own);
            else
                take(epoll, own);
        }
    }
}
