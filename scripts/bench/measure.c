/*
 * Runs one program and measures it alone. The runner is a Python process of some 10 MiB, and the kernel carries the
 * peak memory of a forked copy into the program that it becomes (fs/exec.c, exec_mmap keeps signal->maxrss), so the
 * program is spawned from here, out of a process that is smaller than anything measured.
 *
 *     measure FD null|pipe|same COMMAND [ARGUMENT...]
 *
 * null: the program writes to /dev/null. pipe: into a pipe that a `cat >/dev/null` drains, whose CPU is not counted.
 * same: to this program's own standard output.
 * Writes to descriptor FD: `exit-code user-us system-us wall-us peak-kib`. A program that a signal ends has 128 + the
 * signal, one that could not be started 127.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static long microseconds(struct timeval t)
{
    return t.tv_sec * 1000000L + t.tv_usec;
}

static long now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

/* Both ends of `feed` are close-on-exec: the drain must not hold the writing end, or it would never see the end. */
static pid_t start_drain(const int *feed)
{
    char *command[] = { "cat", NULL };
    posix_spawn_file_actions_t actions;
    pid_t drain;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, feed[0], 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    return posix_spawnp(&drain, "cat", &actions, NULL, command, environ) ? -1 : drain;
}

static int start(pid_t *child, char **command, int output)
{
    posix_spawn_file_actions_t actions;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    return posix_spawnp(child, command[0], &actions, NULL, command, environ);
}

static void report(int to, int status, const struct rusage *used, long wall)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);

    dprintf(to, "%d %ld %ld %ld %ld\n", code, microseconds(used->ru_utime), microseconds(used->ru_stime), wall,
            used->ru_maxrss);
}

int main(int argc, char **argv)
{
    int feed[2] = { -1, -1 }, to, output, status, error;
    struct rusage used;
    pid_t child, drain = 0;
    long begun;

    if (argc < 4 || (strcmp(argv[2], "null") && strcmp(argv[2], "pipe") && strcmp(argv[2], "same")))
        return 2;
    to = atoi(argv[1]);
    fcntl(to, F_SETFD, FD_CLOEXEC);
    if (!strcmp(argv[2], "pipe")) {
        if (pipe2(feed, O_CLOEXEC) || (drain = start_drain(feed)) < 0)
            return 1;
        close(feed[0]);
        output = feed[1];
    } else if (!strcmp(argv[2], "same")) {
        output = fcntl(1, F_DUPFD_CLOEXEC, 3);
    } else {
        output = open("/dev/null", O_WRONLY | O_CLOEXEC);
    }
    begun = now();
    error = start(&child, argv + 3, output);
    close(output);
    /* Who reads what the program writes is to see its end. */
    if (!strcmp(argv[2], "same"))
        close(1);
    if (error) {
        fprintf(stderr, "%s: %s\n", argv[3], strerror(error));
        return 127;
    }
    while (wait4(child, &status, 0, &used) < 0 && errno == EINTR)
        ;
    report(to, status, &used, now() - begun);
    if (drain)
        waitpid(drain, NULL, 0);
    return 0;
}
