"""The code keeps the shape that makes it readable: which part may know which."""

import ast
import importlib
import re
import sys
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from service import jobs, settings
from service.__main__ import main
from service.app import create_app
from service.settings import Settings
from service.web.openapi import build
from tests.support.judging import shipped
from tests.support.processes import ROOT

#: Third-party packages that only some parts may know.
FLASK = ("flask", "flask_login", "flask_wtf", "werkzeug", "jinja2", "wtforms")
TRANSPORT = ("redis", "rq", "sqlalchemy", "alembic", "psycopg", "sqlite3", *FLASK)


@cache
def modules() -> dict[str, Path]:
    """Return every module of the service and the worker by its dotted name."""
    found = {}
    for path in sorted([*ROOT.glob("service/**/*.py"), *ROOT.glob("worker/**/*.py")]):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def within(package: str) -> list[str]:
    """Return the modules of a package, itself among them."""
    return [name for name in modules() if name == package or name.startswith(f"{package}.")]


@cache
def imports(module: str) -> frozenset[str]:
    """Return the dotted names that a module imports, wherever in it; types alike."""
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    return frozenset(_imported(tree))


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module, "imports are absolute"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def knows(module: str, package: str) -> bool:
    """Return whether a module imports something of a package."""
    return any(name == package or name.startswith(f"{package}.") for name in imports(module))


@pytest.mark.parametrize(
    ("part", "unknown"),
    [
        ("service", "worker"),
        ("worker", "service.app"),
        ("worker", "service.web"),
        ("worker", "service.commands"),
        ("service.domain", "service.storage"),
        ("service.domain", "service.settings"),
        ("service.domain", "service.jobs"),
        ("service.domain", "service.keyring"),
        ("service.storage", "service.moderation"),
        ("service.storage", "service.intake"),
        ("service.storage", "service.jobs"),
        ("service.storage", "service.settings"),
        ("service.storage", "service.web"),
        ("service.intake", "service.moderation"),
        ("service.intake", "service.web"),
        ("service.jobs", "service.storage"),
        ("service.jobs", "service.web"),
        ("service.moderation", "service.web"),
        ("service.moderation", "service.app"),
        ("service.web", "service.app"),
        ("service.web", "service.commands"),
        ("service.settings", "service.storage"),
        ("worker.engine", "worker.runtime"),
        ("worker.signals", "worker.engine"),
        ("worker.signals", "worker.ruleset"),
        ("worker.signals", "worker.runtime"),
        ("worker.ruleset", "worker.runtime"),
        ("worker.rules", "worker.runtime"),
    ],
)
def test_imports_point_one_way(part: str, unknown: str) -> None:
    assert [name for name in within(part) if knows(name, unknown)] == []


def test_flask_is_known_only_to_the_web() -> None:
    allowed = {"service.app", *within("service.web")}
    flaskers = {name for name in modules() if any(knows(name, package) for package in FLASK)}
    assert flaskers <= allowed


def test_the_domain_needs_the_standard_library_only() -> None:
    for name in within("service.domain"):
        strangers = [
            n for n in imports(name) if not _is_standard(n) and n.split(".")[0] != "service"
        ]
        assert strangers == [], name
        assert all(n.startswith("service.domain") for n in imports(name) if n.startswith("service"))


def _is_standard(name: str) -> bool:
    return name.split(".")[0] in sys.stdlib_module_names


@pytest.mark.parametrize(
    "part", ["worker.signals", "worker.rules", "worker.ruleset", "worker.engine"]
)
def test_judging_touches_neither_database_nor_queue_nor_web(part: str) -> None:
    for name in within(part):
        assert [package for package in TRANSPORT if knows(name, package)] == [], name


@pytest.mark.parametrize("part", ["worker.signals", "worker.rules"])
def test_signals_and_rules_take_time_and_chance_from_their_context(part: str) -> None:
    for name in within(part):
        assert not [package for package in ("random", "time", "secrets") if knows(name, package)], (
            name
        )
        text = modules()[name].read_text(encoding="utf-8")
        assert not re.search(r"\b(datetime\.now|date\.today|utcnow)\(", text), name


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        name
        for name, path in modules().items()
        if re.search(r"\b(os\.environ|os\.getenv|environb|getenv)\b", path.read_text("utf-8"))
    }
    assert readers <= {"service.settings"}


def test_nothing_connects_when_it_is_imported() -> None:
    openers = ("open_store", "JobQueue", "create_engine", "Redis", "from_url", "Redis.from_url")
    for name, path in modules().items():
        for node in ast.parse(path.read_text("utf-8")).body:
            called = {ast.unparse(n.func) for n in ast.walk(node) if isinstance(n, ast.Call)}
            is_definition = isinstance(node, ast.FunctionDef | ast.ClassDef | ast.If)
            assert is_definition or not called & set(openers), f"{name} connects at import"


@pytest.mark.parametrize(
    "job",
    [
        jobs.MODERATE_JOB,
        jobs.ALONE_JOB,
        jobs.CHECK_JOB,
        jobs.FOLD_JOB,
        jobs.DELIVER_JOB,
        jobs.CALL_BACK_JOB,
    ],
)
def test_a_queued_job_names_a_function_that_the_worker_has(job: str) -> None:
    module, _, function = job.rpartition(".")
    assert callable(getattr(importlib.import_module(module), function))


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        name
        for name, path in modules().items()
        if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []


def test_every_public_name_says_what_the_caller_gets() -> None:
    silent = [
        f"{name}.{node.name}"
        for name, path in modules().items()
        for node in _public(ast.parse(path.read_text("utf-8")))
        if not ast.get_docstring(node)
    ]
    assert silent == []


Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _public(scope: ast.Module | ast.ClassDef) -> Iterator[Definition]:
    for node in scope.body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node)


def test_the_readme_has_every_setting_with_its_default() -> None:
    table = (ROOT / "README.md").read_text(encoding="utf-8")
    for item in fields(Settings):
        row = re.search(rf"^\|\s*`{item.name.upper()}`\s*\|.*$", table, re.MULTILINE)
        assert row, f"{item.name.upper()} is not in the README's table"
        assert (item.metadata["default"] or "") in row[0], f"{item.name.upper()}: other default"
        assert item.metadata["doc"] in row[0], f"{item.name.upper()}: other explanation"


def test_the_readme_has_every_command() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in main.commands if f"`{name}" not in text] == []


def test_the_readme_has_every_rule_as_it_ships() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for rule in shipped().rules:
        row = f"| `{rule.id}` | {rule.category} | {rule.points} | {rule.mode} | {rule.why} |"
        assert row in text, f"the README's row of {rule.id} is not as it ships"


def test_the_readme_has_every_endpoint() -> None:
    app = create_app(settings.load({"SECRET_KEY": "x" * 32}))
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    paths = build(app, settings.load({"SECRET_KEY": "x" * 32}))["paths"]
    named = {f"`{method.upper()} {path}`" for path, methods in paths.items() for method in methods}
    assert {name for name in named if name not in text} == set()
