"""Reading YAML by hand, so that every mistake is told with its line and column.

Values are read as what the rule file's schema expects, never as what YAML makes
of them: `no` stays a word, `1e3` is no number, and a key that stands twice is a
mistake instead of a silent winner.
"""

import re
from collections.abc import Collection
from typing import Any

import yaml
from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from worker.ruleset.problems import Problem, Severity, did_you_mean

_WHOLE = re.compile(r"-?\d{1,6}")
_SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,3})?) ?%")
_DECIMAL = re.compile(r"-?\d{1,6}(?:\.\d{1,6})?")
#: Deeper than any rule needs to be; composing recurses.
_DEEPEST = 20
#: So many are open where the parts of the file stand.
_IN_ROOT = 2
_MOST_CHARACTERS = 500_000


class Document:
    """One YAML file while it is read; collects what is wrong with it."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self._text = text
        self.problems: list[Problem] = []
        #: Where aliases stand: what they mean is not known, so nothing else is said of them.
        self._aliases: set[tuple[int, int]] = set()

    def root(self, last: str = "") -> Node | None:
        """Return the outermost node; None if there is nothing that could be read.

        What stands behind its part `last` is not read.
        """
        if len(self._text) > _MOST_CHARACTERS:
            self._tell_at(1, 1, f"the file is longer than {_MOST_CHARACTERS:,} characters")
            return None
        try:
            node = self._composed(last)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._tell_at(*_position(mark), f"this is no YAML: {error.problem or error.context}")
            return None
        except yaml.YAMLError as error:
            self._tell_at(1, 1, f"this is no YAML: {str(error).splitlines()[0]}")
            return None
        if node is None and not self.problems:
            self._tell_at(1, 1, "the file is empty")
        return node

    def error(self, node: Node, message: str) -> None:
        """Note that something at `node` keeps the ruleset from running."""
        self._tell_at(*_position(node.start_mark), message)

    def warning(self, node: Node, message: str) -> None:
        """Note something at `node` that is probably not meant so."""
        self._tell_at(*_position(node.start_mark), message, "warning")

    def mapping(self, node: Node, known: Collection[str] | None, what: str) -> dict[str, Node]:
        """Return the members of a mapping by key; unknown keys and repeated ones are errors.

        With `known` None every key is welcome.
        """
        if not isinstance(node, MappingNode):
            self.error(node, f"{what} must be a mapping, `key: value`")
            return {}
        members: dict[str, Node] = {}
        for key_node, value in node.value:
            key = self.text(key_node)
            if key is None:
                continue
            if key in members:
                self.error(key_node, f"“{key}” stands twice")
            elif known is not None and key not in known:
                self.error(key_node, f"unknown {what} “{key}”{did_you_mean(key, known)}")
            else:
                members[key] = value
        return members

    def key_nodes(self, node: Node) -> dict[str, Node]:
        """Return where the keys of a mapping stand."""
        if not isinstance(node, MappingNode):
            return {}
        return {key.value: key for key, _ in node.value if isinstance(key, ScalarNode)}

    def items(self, node: Node, what: str) -> list[Node]:
        """Return the items of a list."""
        if isinstance(node, SequenceNode):
            return list(node.value)
        self.error(node, f"{what} must be a list")
        return []

    def one_or_more(self, node: Node) -> list[Node]:
        """Return the items of a list, or the one value that stands in its place."""
        return list(node.value) if isinstance(node, SequenceNode) else [node]

    def texts(self, node: Node) -> list[tuple[str, Node]]:
        """Return one text or a list of texts, each with its node; at least one."""
        nodes = self.one_or_more(node)
        if not nodes:
            self.error(node, "the list is empty")
        return [(text, item) for item in nodes if (text := self.text(item)) is not None]

    def text(self, node: Node) -> str | None:
        """Return a text; None, and an error noted, if it is none or empty."""
        if not isinstance(node, ScalarNode):
            self.error(node, "must be a text")
            return None
        if not node.value.strip():
            self.error(node, "is empty")
            return None
        return str(node.value)

    def whole(self, node: Node, what: str, least: int, most: int) -> int | None:
        """Return a whole number within bounds."""
        written = self._written(node)
        if not _WHOLE.fullmatch(written):
            self.error(node, f"{what} must be a whole number, not “{written}”")
            return None
        if not least <= int(written) <= most:
            self.error(node, f"{what} must be from {least} to {most}")
            return None
        return int(written)

    def number(self, node: Node, what: str) -> float | None:
        """Return a number, or a share such as `70%` as 0.7."""
        written = self._written(node)
        if share := _SHARE.fullmatch(written):
            return float(share[1]) / 100
        if _DECIMAL.fullmatch(written):
            return float(written)
        self.error(node, f"{what} must be a number or a share such as 70%, not “{written}”")
        return None

    def flag(self, node: Node, what: str) -> bool | None:
        """Return `true` or `false`."""
        written = self._written(node)
        if written not in ("true", "false"):
            self.error(node, f"{what} must be true or false, not “{written}”")
            return None
        return written == "true"

    def choice(self, node: Node, what: str, known: Collection[str]) -> str | None:
        """Return one of the known words."""
        written = self._written(node)
        if written in known:
            return written
        self.unknown(node, what, written, known)
        return None

    def unknown(self, node: Node, what: str, written: str, known: Collection[str]) -> None:
        """Note that `written` is none of the known words."""
        hint = did_you_mean(written, known) or f"; there are: {', '.join(known) or 'none'}"
        self.error(node, f"unknown {what} “{written}”{hint}")

    def _written(self, node: Node) -> str:
        return str(node.value) if isinstance(node, ScalarNode) else "a list or mapping"

    def _composed(self, last: str) -> Node | None:
        """Return the outermost node of a file that should do without YAML's anchors and tags.

        Those are mistakes, and the rest is read all the same. Nodes have no tags, since
        nothing is made of them here; composing them by hand takes half the time of having
        YAML find out what each could mean.
        """
        open_: list[_Open] = [_Open([])]
        for event in yaml.parse(self._text, Loader=yaml.CSafeLoader):
            self._refuse_finesse(event)
            if isinstance(event, yaml.CollectionEndEvent):
                open_.pop()
                if last and len(open_) == _IN_ROOT and open_[-1].key == last:
                    break
            elif isinstance(event, yaml.NodeEvent):
                node = _node(event)
                open_[-1].add(node)
                if isinstance(node, CollectionNode):
                    open_.append(_Open(node.value, isinstance(node, MappingNode)))
            if len(open_) > _DEEPEST + 1:
                self._tell_at(*_position(event.start_mark), "nested too deeply")
                return None
        roots = open_[0].values
        if len(roots) > 1:
            self.error(roots[1], "the file goes on after its end")
        return next(iter(roots), None)

    def _refuse_finesse(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            message = "anchors and aliases (& and *) are not allowed here"
        elif getattr(event, "tag", None):
            message = "tags (!) are not allowed here"
        else:
            return
        self._tell_at(*_position(event.start_mark), message)
        if isinstance(event, yaml.AliasEvent):
            self._aliases.add(_position(event.start_mark))

    def _tell_at(self, line: int, column: int, message: str, severity: Severity = "error") -> None:
        if (line, column) not in self._aliases:
            self.problems.append(Problem(self.file, line, column, message, severity))


class _Open:
    """A list or mapping while its parts are read; of a mapping every other one is a key."""

    def __init__(self, values: list[Any], is_mapping: bool = False) -> None:
        self.values = values
        self._is_mapping = is_mapping
        self._key: Node | None = None

    @property
    def key(self) -> str:
        """The key of what was added last to a mapping; "" without one."""
        is_member = self._is_mapping and self.values
        return str(self.values[-1][0].value) if is_member else ""

    def add(self, node: Node) -> None:
        """Add what comes next."""
        if not self._is_mapping:
            self.values.append(node)
        elif self._key is None:
            self._key = node
        else:
            self.values.append((self._key, node))
            self._key = None


def _node(event: yaml.NodeEvent) -> Node:
    """Return the node that an event begins; an alias, which is refused, is one like any other."""
    mark: Any = event.start_mark
    if isinstance(event, yaml.MappingStartEvent):
        return MappingNode("", [], mark)
    if isinstance(event, yaml.SequenceStartEvent):
        return SequenceNode("", [], mark)
    return ScalarNode("", getattr(event, "value", ""), mark)


def _position(mark: Any) -> tuple[int, int]:
    """Return line and column of a parser's mark, counted from 1."""
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)
