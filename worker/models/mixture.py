"""A mixture: a linear model and a network, each good at what the other is bad at.

The linear model knows spellings and reads the whole of a comment in every reading.
The network knows what words mean together and reads windows of a few dozen words:
of the plain reading, and of the last of those with tricks undone, the window that
the linear model finds worst. If there are no tricks, and the comment is in doubt by
then, it reads the next worst: two windows in all. Each score is a probability made of
both. Where the linear model alone finds next to nothing, the network is not asked: most
comments are such, and reading takes longer than all rules.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest

import numpy as np

from worker.models.artefact import DamagedArtefact
from worker.models.linear import LinearModel, Pull, shown, told
from worker.models.material import Material
from worker.models.network import Network, Read, Share, Sums
from worker.models.score import Reasons, Score
from worker.models.windows import Window, windows_of
from worker.signals.comment import Signals

#: So many windows of a comment are read at most: each takes longer than all rules. With
#: four, no verdict was another on 3,894 comments of our own, on news and on talk pages.
MOST_WINDOWS = 2
#: Below this probability of abuse the linear model is believed. Of 3,894 comments of our
#: own, on news and on talk pages, the network changes the verdict on one of those.
_CALM = 0.1
#: From here on rules hear a kind of abuse, of which the network is asked however calm all is.
_TELLING = 0.5
#: A comment with this probability of abuse is looked at more closely.
_DOUBT = 0.05


@dataclass(frozen=True, slots=True)
class Found:
    """What both models found: for each head the linear sum, and all of each window read."""

    linear: Sums
    windows: Mapping[Window, Read]

    @property
    def worst(self) -> Sums:
        """For each head the highest sum of all windows."""
        sums = np.array([read.sums for read in self.windows.values()])
        return np.asarray(sums.max(axis=0))

    def window(self, head: int) -> Window:
        """Return the window with a head's highest sum."""
        return max(self.windows, key=lambda window: float(self.windows[window].sums[head]))


class Mixture:
    """Gives the scores of a linear model, mended by a network."""

    def __init__(self, linear: LinearModel, network: Network) -> None:
        header = network.header
        if header.linear != linear.version:
            raise DamagedArtefact(f"it belongs to version {header.linear} of {linear.name}")
        if header.heads != linear.heads:
            raise DamagedArtefact(f"it gives other scores than {linear.name}")
        self.name = linear.name
        self.version = f"{linear.version}+{network.version}"
        self.heads = linear.heads
        self._linear = linear
        self._network = network
        self._shares = header.shares

    def scores(self, signals: Signals) -> Mapping[str, Score]:
        """Return each score by its name."""
        materials = self._linear.materials(signals)
        alone = self._linear.scores_of(materials)
        told = any(score.value >= _TELLING for score in alone.values())
        if alone[self.heads[0]].value < _CALM and not told:
            return alone
        found = self._found(materials)
        worst = found.worst
        return {
            head: Score(
                probability(share, float(found.linear[number]), float(worst[number])),
                partial(self._reasons, found, number),
            )
            for number, (head, share) in enumerate(zip(self.heads, self._shares, strict=True))
        }

    def found(self, signals: Signals) -> Found:
        """Return what both models find in a comment, however calm it is."""
        return self._found(self._linear.materials(signals))

    def _found(self, materials: Sequence[Material]) -> Found:
        linear = np.max([self._linear.sums(material) for material in materials], axis=0)
        windows: dict[Window, Read] = {}
        known: set[str] = set()
        for is_worst, window in self._worst_first(materials):
            calm = not is_worst and not self._is_in_doubt(Found(linear, windows))
            if calm or len(known) == MOST_WINDOWS:
                break
            if window.text not in known:
                known.add(window.text)
                windows[window] = self._network.read(window.text)
        return Found(linear, windows)

    def _worst_first(self, materials: Sequence[Material]) -> Iterator[tuple[bool, Window]]:
        """Yield the windows of the first and the last reading, and whether each is its worst."""
        ordered = [
            windows_of(part, self._linear.pulls(part, 0), self._network.header.words)
            for material in {id(each): each for each in (materials[0], materials[-1])}.values()
            for part in material.parts
        ]
        for place, windows in enumerate(zip_longest(*ordered)):
            yield from ((place == 0, window) for window in windows if window)

    def _is_in_doubt(self, found: Found) -> bool:
        share = self._shares[0]
        return probability(share, float(found.linear[0]), float(found.worst[0])) >= _DOUBT

    def _reasons(self, found: Found, head: int) -> Reasons:
        """Return which words moved a score up most where the network finds it highest."""
        return told(self._pulls(found, head))

    def _pulls(self, found: Found, head: int) -> Iterator[Pull]:
        window, share = found.window(head), self._shares[head]
        part, pulls = window.part, share.network * found.windows[window].pulls(head)
        by_word = share.linear * self._linear.pulls_of_words(part, head)
        for number in range(window.first, window.last):
            word = part.words[number]
            read = pulls[word.start - window.start : word.end - window.start]
            yield float(by_word[number] + read.sum()), *shown(part, word)


def probability(share: Share, linear: float, network: float) -> float:
    """Return what both sums mean as a probability, rounded to what can be told apart."""
    power = share.linear * linear + share.network * network + share.offset
    return round(1 / (1 + math.exp(-max(-30.0, min(30.0, power)))), 4)
