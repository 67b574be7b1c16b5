/* Connects to 127.0.0.1 at a port every 50 ms until it is accepted: the least that a waiter with a fixed pause can be. */

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int main(int count, char **arguments)
{
    struct sockaddr_in end = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };

    if (count != 2)
        return 2;
    end.sin_port = htons(atoi(arguments[1]));
    for (;;) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        if (fd < 0)
            return 3;
        if (connect(fd, (struct sockaddr *)&end, sizeof end) == 0)
            return 0;
        close(fd);
        nanosleep(&pause, NULL);
    }
}
