"""Small rulesets for tests, and how they become live."""

from service.domain.clock import utc_now
from service.domain.ruleset import RulesetSource, RulesetVersion
from service.storage import Store, rulesets
from worker.ruleset import load
from worker.ruleset.outline import outline

_HEAD = """\
format: 1
categories:
  spam: { hold_at: 10 }
  abuse: { hold_at: 10 }
"""
_RULE = """\
  - id: {id}
    category: spam
    points: {points}
    why: "{why}"
    mode: {mode}
    when: {when}
    tests: {{ hit: [], miss: [] }}
"""


def rule(
    when: str,
    rule_id: str = "word",
    *,
    points: int = 10,
    mode: str = "live",
    why: str = "Says {match}",
) -> str:
    """Return a rule as a rule file has it; `when` is a YAML flow mapping."""
    return _RULE.format(id=rule_id, points=points, why=why, mode=mode, when=when)


def ruleset(*rules: str, **lists: str) -> RulesetSource:
    """Return a ruleset of these rules and lists."""
    named = "".join(f"  {name}: lists/{name}.txt\n" for name in lists)
    head = _HEAD + (f"lists:\n{named}" if named else "")
    texts = {f"lists/{name}.txt": text for name, text in lists.items()}
    return RulesetSource(f"{head}rules:\n{''.join(rules)}", texts)


def says(word: str, rule_id: str = "word", **how: int | str) -> str:
    """Return a rule that holds whoever says a word."""
    return rule(f"{{ phrase: {word} }}", rule_id, **how)  # type: ignore[arg-type]


def publish(
    store: Store, source: RulesetSource, *, author: str = "moderator:mod", note: str = "a test"
) -> RulesetVersion:
    """Make a ruleset live, as if it had been examined."""
    with store.write() as db:
        live = rulesets.live_version(db)
        rulesets.keep(db, source, outline(source, load(source)), utc_now())
        return rulesets.publish(
            db,
            source.hash,
            base=live.number if live else None,
            author=author,
            note=note,
            now=utc_now(),
        )
