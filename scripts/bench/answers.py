"""Whether a contender's answer is about the table at all. A program that answers nothing is very fast: without this
check it would pass every bar."""

import re
import subprocess
import time

from ending import CannotRun

NUMBER = re.compile(rb"\d[\d,_]*")


def is_near(number, sockets):
    return 0.95 * sockets <= number <= 1.05 * sockets


def covers(answer, sockets):
    """Says so of a list with a line for each socket, and of a summary in which the number of sockets is written. Where
    there are no sockets, any answer will do."""
    if not sockets:
        return bool(answer)
    if is_near(answer.count(b"\n"), sockets):
        return True
    # A summary is short. In a list that is too long or too short some port could look like the number.
    short = answer if len(answer) < 20_000 else b""
    return any(is_near(int(re.sub(rb"\D", b"", text)), sockets) for text in NUMBER.findall(short))


def complaint(contender, sockets, seconds=None):
    """What is wrong with the answer, None if nothing is."""
    try:
        ran = subprocess.run(contender.command, capture_output=True, timeout=seconds, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if ran.returncode != contender.exit_code:
        words = ran.stderr.decode(errors="replace").strip().splitlines() or ["it does not say why"]
        return f"exit code {ran.returncode}: {words[0]}"
    if contender.pattern is not None:
        is_right = re.search(contender.pattern, ran.stdout.decode(errors="replace"))
        return None if is_right else f"the answer does not hold `{contender.pattern}`"
    if not covers(ran.stdout, sockets):
        return f"the answer does not cover {sockets:,} sockets" if sockets else "no answer"
    return None


def complaints(contenders, sockets, until):
    """{name: complaint} of those contenders whose answer is wrong. The table is there `until` then."""
    found = {}
    for each in contenders:
        left = until - time.monotonic()
        found[each.name] = complaint(each, sockets, left if sockets else None)
        if time.monotonic() > until:
            raise CannotRun(f"{sockets:,} sockets do not last for all answers: try --only")
    return {name: words for name, words in found.items() if words}
