/*
 * The floor of the benchmark: the least that a program can do to learn how many TCP sockets are in some states. One
 * TCPDIAG_GETSOCK dump (IPv4 and IPv6 in one walk of the kernel's table), one buffer, and rows counted without being
 * looked at. `netkit states` is compared with this.
 *
 *     floor MASK        one bit a state, as in include/net/tcp_states.h: 0x40 is TIME_WAIT, 0xffe all real states
 *
 * Prints the number of rows. Exit code 1 with a reason on stderr where the kernel gave no complete answer.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>

/* The kernel fills at most 32 KiB at a time (net/netlink/af_netlink.c, netlink_dump): 64 KiB is never too short. */
static _Alignas(struct nlmsghdr) char buffer[65536];

static int fail(const char *what, int error)
{
    fprintf(stderr, "floor: %s: %s\n", what, strerror(error));
    return 1;
}

static int ask(int netlink, unsigned states)
{
    struct {
        struct nlmsghdr header;
        struct inet_diag_req request;
    } message;

    memset(&message, 0, sizeof message);
    message.header.nlmsg_len = sizeof message;
    message.header.nlmsg_type = TCPDIAG_GETSOCK;
    message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    message.header.nlmsg_seq = 1;
    message.request.idiag_states = states;
    return send(netlink, &message, sizeof message, 0) < 0 ? errno : 0;
}

/* Counts the rows of one buffer. Returns 1 at the end of the dump, 0 if more follows, a negative errno on an error. */
static int count(unsigned length, long *rows)
{
    struct nlmsghdr *header = (struct nlmsghdr *)buffer;

    for (; NLMSG_OK(header, length); header = NLMSG_NEXT(header, length)) {
        if (header->nlmsg_type == NLMSG_ERROR)
            return ((struct nlmsgerr *)NLMSG_DATA(header))->error;
        if (header->nlmsg_type == NLMSG_DONE) {
            int error = *(int *)NLMSG_DATA(header);
            return error < 0 ? error : 1;
        }
        ++*rows;
    }
    return 0;
}

int main(int argc, char **argv)
{
    unsigned states = argc > 1 ? strtoul(argv[1], NULL, 0) : 0;
    long rows = 0;
    int netlink, ended = 0;

    if (!states)
        return fail("usage: floor MASK", EINVAL);
    netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (netlink < 0)
        return fail("socket(NETLINK_SOCK_DIAG)", errno);
    if (ask(netlink, states))
        return fail("send(TCPDIAG_GETSOCK)", errno);
    while (!ended) {
        ssize_t length = recv(netlink, buffer, sizeof buffer, MSG_TRUNC);

        if (length < 0 && errno == EINTR)
            continue;
        if (length <= 0)
            return fail("recv", length ? errno : ECONNRESET);
        if ((size_t)length > sizeof buffer)
            return fail("recv", EMSGSIZE);
        ended = count(length, &rows);
        if (ended < 0)
            return fail("dump", -ended);
    }
    printf("%ld\n", rows);
    return 0;
}
