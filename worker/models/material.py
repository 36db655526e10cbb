"""Material: what a model of each kind looks at in a comment, as features and markers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from worker.models.features import Features, Word, features_of, words_of
from worker.models.markers import markers_of_author, markers_of_text
from worker.models.wording import NOT_WORDS, blanked
from worker.signals.comment import FIELD_NAMES, Signals
from worker.signals.text import View

#: Names, addresses and links have features of their own.
_NAME, _URL, _LINKS = 101, 211, 307
_SHORTEST, _LONGEST = 3, 5
#: A text in disguise has few readings; of hostile ones not all are looked at.
MOST_READINGS = 4
_MOST_LINKS = 5


@dataclass(frozen=True, slots=True)
class Part:
    """A text that features were taken from.

    `field` is what verdicts call it, `phrase` what people read for it where no
    single word of it can be shown.
    """

    features: Features
    field: str = ""
    view: View | None = None
    words: Sequence[Word] = ()
    phrase: str = ""


@dataclass(frozen=True, slots=True)
class Material:
    """One reading of a comment."""

    parts: tuple[Part, ...]
    markers: tuple[str, ...] = ()


#: Gives the readings of a comment, with runs of so many to so many characters.
Preparing = Callable[[Signals, int, int], Iterator[Material]]


def _of_abuse(signals: Signals, shortest: int, longest: int) -> Iterator[Material]:
    """Yield each reading of the text: as written, and with tricks undone."""
    for view in signals.readings("text")[:MOST_READINGS]:
        if NOT_WORDS.search(view.text):
            view = view.changed(view.name, blanked(view.text))
        words = words_of(view)
        features = features_of(view.text, words, shortest, longest)
        yield Material((Part(features, FIELD_NAMES["text"], view, words),))


def _of_spam(signals: Signals, shortest: int, longest: int) -> Iterator[Material]:
    """Yield the text together with its author's name, website and address, as written."""
    author = signals.comment.author
    text, name = signals.views("text")[0], signals.views("name")[0]
    words, names = words_of(text), words_of(name)
    links, own = signals.links("text"), signals.links("url")
    targets = " ".join(link.target for link in links[:_MOST_LINKS])
    website = " ".join(link.target for link in own)
    about_text = markers_of_text(signals.comment.body, words, links)
    yield Material(
        (
            Part(
                features_of(text.text, words, shortest, longest), FIELD_NAMES["text"], text, words
            ),
            Part(
                features_of(name.text, names, _SHORTEST, _LONGEST, _NAME),
                FIELD_NAMES["name"],
                name,
                names,
            ),
            Part(features_of(website, (), _SHORTEST, _LONGEST, _URL), phrase="the website's name"),
            Part(features_of(targets, (), _SHORTEST, _LONGEST, _LINKS), phrase="where links lead"),
        ),
        (*about_text, *markers_of_author(author, name, own)),
    )


#: What each model looks at.
PREPARING: Mapping[str, Preparing] = {"abuse": _of_abuse, "spam": _of_spam}
