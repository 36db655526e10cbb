"""XML read as it comes, however large: what was read is forgotten, and nothing is expanded."""

from collections.abc import Iterator
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from service.transfer.records import Unreadable


def ended_elements(
    file: BinaryIO, root: str, kept_within: frozenset[str]
) -> Iterator[tuple[str, Element]]:
    """Yield each element as it ends, by its name without namespace, then forget it.

    Within elements named in `kept_within` everything is kept until those end.
    Raises Unreadable for what is no proper XML with this root element, and for
    document types and entities, which such files never have.
    """
    path: list[Element] = []
    keeping = 0
    try:
        for event, element in iterparse(file, events=("start", "end"), forbid_dtd=True):
            name = local_name(element)
            if not path and event == "start" and name != root:
                raise Unreadable(f"it begins with <{name}> where <{root}> is expected")
            if event == "start":
                path.append(element)
                keeping += name in kept_within
                continue
            path.pop()
            keeping -= name in kept_within
            yield name, element
            if not keeping:
                element.clear()
                if path:
                    path[-1].remove(element)
    except DefusedXmlException as error:
        raise Unreadable(
            f"it declares a document type or entities, which is refused; <{root}> is expected"
        ) from error
    except ParseError as error:
        raise Unreadable(f"it is no proper XML with <{root}> around it: {error}") from error


def local_name(element: Element) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def texts(element: Element) -> dict[str, str]:
    """Return the text of each child, by its name without namespace."""
    return {local_name(child): child.text or "" for child in element}
