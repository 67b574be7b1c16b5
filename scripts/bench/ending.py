"""How a benchmark ends: 0 whenever everything could be run, 3 when something could not."""

import sys
from pathlib import Path


class CannotRun(Exception):
    """The benchmark cannot go on. Its message is for the reader; the exit code is 3."""


def exit_with(main):
    """Ends the process with what `main` returns."""
    try:
        sys.exit(main())
    except CannotRun as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        sys.exit(3)
