"""What is run, and the bars that it is held against. Each benchmark has a table of them, contenders.py."""

import shutil
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Bar:
    """The median of `metric` is at most `limit`, or at most `limit` times that of the contender `peer`."""

    metric: str
    limit: float
    peer: str | None = None


@dataclass(frozen=True)
class Contender:
    """One command. `output` is where it writes: `null`, or a `pipe` that is drained. `where` is the scene that it belongs
    to. A right answer has this exit code and holds the pattern; without one, it is about all sockets in TIME_WAIT."""

    name: str
    command: list
    output: str = "null"
    bars: list = field(default_factory=list)
    where: str = "pile"
    exit_code: int = 0
    pattern: str | None = None

    def is_there(self):
        return shutil.which(self.command[0]) is not None


def chosen(contenders, only):
    """All of them, or those named and the peers that they are compared with. KeyError names an unknown one."""
    for name in only:
        if not any(each.name == name for each in contenders):
            raise KeyError(name)
    wanted = set(only) | {bar.peer for each in contenders if each.name in only for bar in each.bars}
    return [each for each in contenders if not only or each.name in wanted]
