/*
 * Makes a pile-up: N sockets in TIME_WAIT on the client's side, as fast as one process can, and on request M
 * connections that stay ESTABLISHED (each is two sockets). Meant for a network namespace of its own, with
 * net.ipv4.tcp_tw_reuse=0 so that no port is taken twice and net.ipv4.tcp_max_tw_buckets above N.
 *
 *     pileup --sockets N [--block B] [--established M] [--list FILE] [--hold]
 *
 * Listens on 127.0.B.1:9000, 127.0.B.2:9000 and on: see loopback.h. Prints the listeners, then what was made and how
 * long it took. --list writes every TIME_WAIT socket as `local-address local-port remote-address remote-port`. --hold
 * keeps listeners and connections open until stdin is closed.
 */
#include "loopback.h"

#include <getopt.h>

struct order {
    long sockets, block, established;
    int hold;
    FILE *list;
};

static struct order read_order(int argc, char **argv)
{
    static const struct option names[] = {
        { "sockets", 1, NULL, 'n' }, { "block", 1, NULL, 'b' }, { "established", 1, NULL, 'e' },
        { "list", 1, NULL, 'l' },    { "hold", 0, NULL, 'h' },  { NULL, 0, NULL, 0 },
    };
    struct order order = { .block = 1 };
    int option;

    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1)
        switch (option) {
        case 'n': order.sockets = number(optarg); break;
        case 'b': order.block = number(optarg); break;
        case 'e': order.established = number(optarg); break;
        case 'l': if (!(order.list = fopen(optarg, "w"))) die(optarg); break;
        case 'h': order.hold = 1; break;
        default: exit(2);
        }
    return order;
}

static void write_down(FILE *list, int client, const struct destination *to)
{
    char local[INET_ADDRSTRLEN], remote[INET_ADDRSTRLEN];
    struct sockaddr_in name;
    socklen_t size = sizeof name;

    if (getsockname(client, (struct sockaddr *)&name, &size))
        die("getsockname");
    inet_ntop(AF_INET, &name.sin_addr, local, sizeof local);
    inet_ntop(AF_INET, &to->address.sin_addr, remote, sizeof remote);
    fprintf(list, "%s %d %s %d\n", local, ntohs(name.sin_port), remote, PORT);
}

static void make_time_wait(const struct destination *to, FILE *list)
{
    int server, client = open_pair(to, &server);

    if (list)
        write_down(list, client, to);
    close(client); /* who closes first keeps TIME_WAIT */
    close(server);
}

/* Listens on as many destinations as `connections` need. The listeners stay open until the process ends. */
static long prepare(struct destination *to, long block, long connections)
{
    long count = (connections + PER_DESTINATION - 1) / PER_DESTINATION;

    if (count > MOST_DESTINATIONS) {
        fprintf(stderr, "pileup: at most %d sockets fit into a block\n", MOST_DESTINATIONS * PER_DESTINATION);
        exit(2);
    }
    for (long i = 0; i < count; i++) {
        char text[INET_ADDRSTRLEN];

        to[i] = listen_on(block, i);
        printf("%s%s:%d", i ? " " : "listening ", inet_ntop(AF_INET, &to[i].address.sin_addr, text, sizeof text), PORT);
    }
    printf("\n");
    return count;
}

int main(int argc, char **argv)
{
    static struct destination to[MOST_DESTINATIONS];
    struct order order = read_order(argc, argv);
    double begun = seconds();
    int server;

    allow_many_descriptors();
    prepare(to, order.block, order.established + order.sockets);
    for (long i = 0; i < order.established; i++)
        open_pair(&to[i / PER_DESTINATION], &server);
    for (long i = order.established; i < order.established + order.sockets; i++)
        make_time_wait(&to[i / PER_DESTINATION], order.list);
    if (order.list && fclose(order.list))
        die("--list");
    printf("made %ld TIME_WAIT, %ld ESTABLISHED in %.3f s\n", order.sockets, order.established, seconds() - begun);
    fflush(stdout);
    while (order.hold && getchar() != EOF)
        ;
    return 0;
}
