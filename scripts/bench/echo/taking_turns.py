"""All contenders of a scene, round by round: A B C, A B C, after a round that does not count."""

import shutil
from statistics import median

import calling
import serving


def samples(scene, programs, rounds):
    """{name: samples}, of which there are none where a contender did not end; those that are not installed are missing."""
    measured = calling.measured if scene.are_clients else serving.measured
    present = [name for name, command in scene.contenders.items() if shutil.which(command[0])]
    taken = {name: [] for name in present}
    for number in range(rounds + 1):
        for name in list(present):
            sample = measured(scene, name, programs, not number)
            if sample is None:
                taken[name] = []
                present.remove(name)
            elif number:
                taken[name].append(sample)
    return taken


def medians(taken):
    """{name: medians}, and the best of the socats, as its own contender."""
    of = lambda all, key: median(each[key] for each in all)
    figures = {name: {key: of(all, key) for key in all[0]} for name, all in taken.items() if all}
    rates = [each["rate"] for name, each in figures.items() if name.startswith("socat-")]
    return figures | ({"best socat": {"rate": max(rates)}} if rates else {})
