"""Medians of the samples, held against the bars, as rows of a table."""

from statistics import median

HEAD = f"{'sockets':>9}  {'contender':<13} {'CPU ms':>8} {'wall ms':>8} {'peak MiB':>8}   {'judged by':<20} {'got':>7}  {'bar':<8}"
WORDS = {"cpu_ms": "CPU", "wall_ms": "wall ms", "peak_mib": "peak MiB"}


def medians(rounds, name):
    """The median of each metric of a contender; None where it was not run."""
    samples = [each["samples"][name] for each in rounds if name in each["samples"]]
    if not samples:
        return None
    return {metric: median(each[metric] for each in samples) for metric in WORDS}


def failures(rounds, contender):
    """What is to be said of exit codes that are not the right one; None where there was none."""
    samples = [each["samples"].get(contender.name) for each in rounds]
    codes = {sample["exit_code"] for sample in samples if sample} - {contender.exit_code}
    return f"exit code {max(codes)}" if codes else None


def judge(bar, own, peer):
    """A bar and what the medians make of it, as a dictionary that also goes into the JSON."""
    got = own[bar.metric]
    if bar.peer:
        got = got / peer[bar.metric] if peer and peer[bar.metric] else None
    return {
        "metric": bar.metric,
        "peer": bar.peer,
        "limit": bar.limit,
        "got": got,
        "ok": None if got is None else got <= bar.limit,
    }


def result(contender, answer):
    """All that is known about a contender at one size."""
    rounds = answer["rounds"]
    own = medians(rounds, contender.name)
    bars = [] if own is None else [judge(bar, own, medians(rounds, bar.peer)) for bar in contender.bars]
    return {
        "name": contender.name,
        "command": contender.command,
        "output": contender.output,
        "sockets": sorted({each["sockets"] for each in rounds}),
        "medians": own,
        "wrong": answer["wrong"].get(contender.name) or failures(rounds, contender),
        "bars": bars,
        "samples": [each["samples"].get(contender.name) for each in rounds],
    }


def bar_cells(bar):
    judged = WORDS[bar["metric"]] + (f" / {bar['peer']}" if bar["peer"] else "")
    unit = "x" if bar["peer"] else ""
    got = "-" if bar["got"] is None else f"{bar['got']:.2f}{unit}"
    verdict = {None: "?", True: "ok", False: "MISS"}[bar["ok"]]
    limit = f"<= {bar['limit']:g}{unit}"
    return f"{judged:<20} {got:>7}  {limit:<8} {verdict}"


def count_of(sockets):
    """How many sockets there were: one figure, or the least of several."""
    return f"{sockets[0]:,}" + ("+" if len(sockets) > 1 else "")


def lines(found):
    """A contender's lines: its figures with the first bar, then one for each further bar."""
    start = f"{count_of(found['sockets']):>9}  {found['name']:<13}"
    if found["medians"] is None:
        return [f"{start} {'not installed':>26}"]
    own = found["medians"]
    first = f"{start} {own['cpu_ms']:8.1f} {own['wall_ms']:8.1f} {own['peak_mib']:8.1f}"
    cells = [bar_cells(bar) for bar in found["bars"]] or [""]
    if found["wrong"]:
        cells = [f"not judged: {found['wrong']}"]
    rest = [f"{'':<{len(first)}}   {cell}" for cell in cells[1:]]
    return [f"{first}   {cells[0]}".rstrip(), *rest]
