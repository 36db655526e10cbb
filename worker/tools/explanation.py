"""A verdict in plain lines, for people who try rules."""

from collections.abc import Iterator

from service.domain.comment import Comment
from service.domain.verdict import Hit, Span, Verdict

_QUOTED_CHARACTERS = 40


def explain(comment: Comment, verdict: Verdict) -> str:
    """Return what became of the comment and why, the decisive reasons first."""
    return "\n".join(_lines(comment, verdict))


def _lines(comment: Comment, verdict: Verdict) -> Iterator[str]:
    yield f"{verdict.status.value}  (ruleset {verdict.ruleset}, {verdict.took_ms} ms)"
    for category, total in verdict.totals.items():
        if total.points:
            yield f"  {category} {total.points} of {total.hold_at} points"
    hits = sorted(verdict.hits, key=lambda hit: (hit.mode != "live", not hit.needed, -hit.points))
    for hit in hits:
        yield f"  {_points(hit)}  {hit.rule}: {hit.why}"
        for span in hit.spans:
            place = f"{span.field} {span.start}-{span.end} ({span.view})"
            yield f"         {place}: {_quote(comment, span)}"
    if not verdict.hits:
        yield "  No rule has anything to say."
    for error in verdict.errors:
        yield f"  rule {error.rule} could not run: {error.detail}"
    if verdict.absent:
        yield f"  not known: {', '.join(verdict.absent)}"


def _points(hit: Hit) -> str:
    if hit.mode == "shadow":
        return f"({hit.points:+d})"
    return f"{hit.points:+d}{'!' if hit.needed else ' '}"


def _quote(comment: Comment, span: Span) -> str:
    author = comment.author
    texts = {
        "body": comment.body,
        "author.name": author.name,
        "author.email": author.email,
        "author.url": author.url,
    }
    quoted = ascii_safe(texts.get(span.field, "")[span.start : span.end])
    return f"“{quoted[:_QUOTED_CHARACTERS]}”"


def ascii_safe(text: str) -> str:
    """Return the text with what cannot be seen, or moves what can, written as escapes."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
