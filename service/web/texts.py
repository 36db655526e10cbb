"""Short texts that people add to decisions and reports."""

from typing import Annotated

from pydantic import AfterValidator, Field

from service.web.schemas import invalid, without_surrogates

MAX_NOTE_CHARACTERS = 1_000


def _note(text: str) -> str:
    note = without_surrogates(text).replace("\r\n", "\n").strip()
    if any(character < " " and character not in "\n\t" for character in note):
        raise invalid("contains control characters")
    return note


#: A few sentences, lines allowed.
Note = Annotated[str, Field(max_length=MAX_NOTE_CHARACTERS), AfterValidator(_note)]
