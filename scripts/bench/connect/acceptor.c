/*
 * Accepts and closes every connection to a port, at all addresses, while a command runs.
 *
 *     acceptor PORT COMMAND [ARGUMENT...]
 *
 * The listener is there before the command starts; the child that accepts ends with its parent, which becomes the
 * command. A listener that nobody accepts from would be full after its backlog, and drop the rest.
 */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void accept_for_ever(int listener)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        int end = accept(listener, NULL, NULL);

        if (end >= 0)
            close(end);
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    int listener, yes = 1;

    if (argc < 3)
        return 2;
    address.sin_port = htons(atoi(argv[1]));
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) {
        perror("acceptor: listen");
        return 3;
    }
    switch (fork()) {
    case -1:
        perror("acceptor: fork");
        return 3;
    case 0:
        accept_for_ever(listener);
    }
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    return 127;
}
