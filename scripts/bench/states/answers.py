"""Whether a contender's answer is about the pile at all. A program that answers nothing is very fast: without this check
it would pass every bar."""

import re
import subprocess

NUMBER = re.compile(rb"\d[\d,_]*")
# In seconds: what a contender may take, and how long the pile must last before it starts.
LONGEST, ENOUGH = 120, 10


def is_near(number, size):
    return 0.95 * size <= number <= 1.05 * size


def covers(answer, size):
    """Says so of a list with a line for each socket, and of a summary in which the number of sockets is written. Where
    there are no sockets, any answer will do."""
    if not size:
        return bool(answer)
    if is_near(answer.count(b"\n"), size):
        return True
    # A summary is short. In a list that is too long or too short some port could look like the number.
    short = answer if len(answer) < 20_000 else b""
    return any(is_near(int(re.sub(rb"\D", b"", text)), size) for text in NUMBER.findall(short))


def complaint(contender, size):
    """What is wrong with the answer, None if nothing is."""
    try:
        ran = subprocess.run(contender.command, capture_output=True, timeout=LONGEST, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if ran.returncode:
        words = ran.stderr.decode(errors="replace").strip().splitlines() or ["it does not say why"]
        return f"exit code {ran.returncode}: {words[0]}"
    if not covers(ran.stdout, size):
        return f"the answer does not cover {size:,} sockets" if size else "no answer"
    return None


def complaints(contenders, pile=None):
    """{name: complaint} of those contenders whose answer is wrong. Without a pile any answer is right."""
    found = {}
    for each in contenders:
        if pile and not pile.stands_for(ENOUGH):
            pile.make()
        found[each.name] = complaint(each, pile.size if pile else 0)
    return {name: words for name, words in found.items() if words}
