"""The catalogue of bad inputs: 74 numbered kinds, each with the answer we want.

Tests register the numbers that they cover; one test checks that none is missing.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from _pytest.mark.structures import ParameterSet

ALL = frozenset(range(1, 75))

covered: set[int] = set()

Test = TypeVar("Test", bound=Callable[..., Any])


def row(*numbers: int) -> Callable[[Test], Test]:
    """Return a decorator for the test that covers these kinds."""
    covered.update(numbers)

    def unchanged(test: Test) -> Test:
        return test

    return unchanged


def case(number: int, about: str, *values: Any) -> ParameterSet:
    """Return one line of a table of kind `number`, named for what it is about."""
    covered.add(number)
    return pytest.param(*values, id=f"{number:02} {about}")
