"""A pile-up that is kept up: TIME_WAIT sockets last 60 s, so it is made anew before the first of them expires."""

import subprocess
import time

from build import CannotRun

# 60 s by the kernel (TCP_TIMEWAIT_LEN), counted from the first socket. Timers are late, never early.
LIFETIME = 59.0
LATEST_EXPIRY = 75.0
BLOCKS = 250


class Pile:
    """`size` sockets in TIME_WAIT, made by pileup.c, with their listeners open."""

    def __init__(self, programs, size):
        self.programs, self.size = programs, size
        self.block, self.maker, self.begun = 0, None, None

    def count(self):
        """How many sockets are in TIME_WAIT now, by the floor program."""
        answer = subprocess.run([self.programs["floor"], "0x40"], capture_output=True, text=True, check=False)
        if answer.returncode:
            raise CannotRun(answer.stderr.strip())
        return int(answer.stdout)

    def is_enough(self, count):
        return count >= 0.95 * self.size

    def stands_for(self, seconds):
        """Whether no socket of the pile will expire in the next `seconds`."""
        lasts = self.begun is not None and time.monotonic() + seconds < self.begun + LIFETIME
        return lasts and self.is_enough(self.count())

    def make(self, *options):
        """Makes the pile on addresses not used before, so that what is left of the last one can expire meanwhile."""
        self.block = self.block % BLOCKS + 1
        last, self.begun = self.maker, time.monotonic()
        command = [self.programs["pileup"], "--sockets", self.size, "--block", self.block, "--hold", *options]
        self.maker = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.maker.stdout.readline()
        made = self.maker.stdout.readline().strip()
        if not made.startswith("made"):
            raise CannotRun("pileup could not make the sockets")
        close(last)
        self._outlast_the_old()
        return made

    def _outlast_the_old(self):
        until = time.monotonic() + LATEST_EXPIRY
        while self.count() > 1.01 * self.size:
            if time.monotonic() > until:
                raise CannotRun("the sockets of the last pile-up do not expire")
            time.sleep(0.25)

    def close(self):
        close(self.maker)


def close(process):
    """Ends a program that runs until its stdin is closed."""
    if process:
        process.stdin.close()
        process.wait()
