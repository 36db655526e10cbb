"""The JSON of verdicts, as the API documents it."""

from typing import Any

from pydantic import BaseModel, Field


class SpanOut(BaseModel):
    """A place in the comment, as code-point offsets into the text as received."""

    field: str
    start: int
    end: int
    view: str


class HitOut(BaseModel):
    """One rule that matched."""

    rule: str
    category: str
    points: int
    why: str = Field(description="The reason in plain words")
    mode: str
    needed: bool = Field(description="Without this rule the comment would have been approved")
    spans: list[SpanOut]


class TotalOut(BaseModel):
    """Points in one category against the number that holds a comment."""

    points: int
    hold_at: int


class RuleErrorOut(BaseModel):
    """A rule that could not run."""

    rule: str
    detail: str


class VerdictOut(BaseModel):
    """The whole evidence on one comment, as it was when it was judged."""

    status: str = Field(description="approved or held")
    ruleset: str
    at: str
    took_ms: float
    totals: dict[str, TotalOut]
    hits: list[HitOut]
    signals: dict[str, Any]
    absent: list[str]
    errors: list[RuleErrorOut]
