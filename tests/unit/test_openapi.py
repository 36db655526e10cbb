"""The OpenAPI document: complete, and made from what the views say."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import jsonschema_rs
import pytest
from flask import Flask
from pydantic import BaseModel, Field

from service import settings as service_settings
from service.app import create_app
from service.settings import Settings
from service.web import problems
from service.web.openapi import build, documented, path_of

Json = dict[str, Any]


@pytest.fixture(scope="module")
def app() -> Flask:
    """The application; nothing is connected."""
    return create_app(
        service_settings.load({"SECRET_KEY": "x" * 32, "DATABASE_URL": "sqlite:///nowhere.db"})
    )


@pytest.fixture(scope="module")
def document(app: Flask) -> Json:
    """The application's document."""
    answer = app.test_client().get("/openapi.json")
    assert answer.status_code == 200
    found: Json = answer.get_json()
    return found


def routed(app: Flask) -> set[tuple[str, str]]:
    """Return method and path of everything under /v1."""
    return {
        (method, path_of(rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/v1/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Yield method, path and description of every operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def references(part: object) -> Iterator[str]:
    """Yield every `$ref` within a part of the document."""
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


# --- the whole document --------------------------------------------------------


def test_everything_under_v1_is_documented_and_nothing_else_is_claimed(
    app: Flask, document: Json
) -> None:
    claimed = {(m, path) for m, path, _ in operations(document) if path.startswith("/v1/")}

    assert claimed == routed(app)


def test_every_reference_leads_to_a_schema_and_every_schema_is_used(document: Json) -> None:
    schemas = document["components"]["schemas"]
    used = {reference.removeprefix("#/components/schemas/") for reference in references(document)}

    assert used == set(schemas)


def test_names_of_schemas_are_short(document: Json) -> None:
    assert [name for name in document["components"]["schemas"] if not name.isalpha()] == []


def test_every_schema_is_a_valid_json_schema(document: Json) -> None:
    for name, schema in document["components"]["schemas"].items():
        whole = schema | {"components": document["components"]}
        assert jsonschema_rs.meta.is_valid(whole), name


def test_every_operation_says_what_it_is_for(document: Json) -> None:
    for method, path, operation in operations(document):
        assert operation["summary"], (method, path)
        assert operation["description"], (method, path)
        assert len(operation["tags"]) == 1, (method, path)


def test_operation_ids_are_unique(document: Json) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]

    assert len(ids) == len(set(ids))


def test_every_variable_of_a_path_is_a_parameter(document: Json) -> None:
    for method, path, operation in operations(document):
        named = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert {f"{{{name}}}" for name in named} == {
            part for part in path.split("/") if part.startswith("{")
        }, (method, path)


def test_only_reading_receipts_and_operations_need_no_key(document: Json) -> None:
    free = {operation["tags"][0] for _, _, operation in operations(document)
            if not operation["security"]}  # fmt: skip

    assert free == {"Reading", "Receipts", "Operations"}


def test_every_error_is_a_problem_document(document: Json) -> None:
    for method, path, operation in operations(document):
        for status, answer in operation["responses"].items():
            if int(status) >= 400 and path != "/readyz":
                assert "application/problem+json" in answer["content"], (method, path, status)


# --- one view ------------------------------------------------------------------


class Question(BaseModel):
    """A question."""

    text: str
    about: list[str] = []


class Wish(BaseModel):
    """How the answer should be."""

    limit: int = Field(10, ge=1, description="How many at most")
    tone: str


class Reply(BaseModel):
    """A reply."""

    text: str


@pytest.fixture
def operation() -> Json:
    """The description of a view that uses everything."""
    app = Flask("example")

    @app.post("/v1/desks/<int:number>/<any(a, b):drawer>/questions")
    @documented(
        "Ask",
        request=Question,
        form=True,
        query=Wish,
        headers={"If-Match": "Only if unchanged"},
        responses={200: Reply, 303: None},
        problems=(429,),
        security="site",
        tags=["Desk"],
    )
    def ask(number: int, drawer: str) -> str:
        """Ask at the desk.

        Somebody answers.
        """
        return f"{number}{drawer}"

    described = build(app, cast(Settings, SimpleNamespace(base_url="https://x.example")))
    assert set(described["components"]["schemas"]) == {
        "Problem",
        "ProblemError",
        "Question",
        "Reply",
    }
    found: Json = described["paths"]["/v1/desks/{number}/{drawer}/questions"]["post"]
    return found


def test_the_docstring_is_the_description(operation: Json) -> None:
    assert operation["description"] == "Ask at the desk.\n\nSomebody answers."


def test_parameters_come_from_path_headers_and_query(operation: Json) -> None:
    told = {(p["name"], p["in"], p.get("required", False)) for p in operation["parameters"]}

    assert told == {
        ("number", "path", True),
        ("drawer", "path", True),
        ("If-Match", "header", False),
        ("limit", "query", False),
        ("tone", "query", True),
    }


def test_a_query_parameter_keeps_its_bounds_and_meaning(operation: Json) -> None:
    [limit] = [p for p in operation["parameters"] if p["name"] == "limit"]

    assert limit["description"] == "How many at most"
    assert limit["schema"]["minimum"] == 1
    assert limit["schema"]["default"] == 10


def test_what_may_be_left_out_of_a_query_may_also_be_empty(operation: Json) -> None:
    empty = {p["name"]: p.get("allowEmptyValue") for p in operation["parameters"]}

    assert (empty["limit"], empty["tone"]) == (True, None)


def test_a_body_may_be_json_or_a_form(operation: Json) -> None:
    content = operation["requestBody"]["content"]

    assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/Question"}
    assert set(content) == {
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    }


def test_answers_are_those_named_and_the_problems_that_follow_from_the_rest(
    operation: Json,
) -> None:
    statuses = [int(status) for status in operation["responses"]]

    assert statuses == [200, 303, 400, 401, 403, 404, 413, 415, 422, 429, 503]
    assert "content" not in operation["responses"]["303"]
    assert "Retry-After" in operation["responses"]["429"]["headers"]


def test_either_key_of_a_site_opens_what_is_for_sites(operation: Json) -> None:
    assert operation["security"] == [{"serverKey": []}, {"publicKey": []}]


# --- the page ------------------------------------------------------------------


@pytest.fixture(scope="module")
def page(app: Flask) -> str:
    """The documentation page."""
    answer = app.test_client().get("/docs")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_the_page_shows_every_operation_schema_and_problem(document: Json, page: str) -> None:
    anchors = [operation["operationId"] for _, _, operation in operations(document)]
    anchors += [f"schema-{name}" for name in document["components"]["schemas"]]
    anchors += [kind.name for kind in problems.kinds()]

    assert [anchor for anchor in anchors if f'id="{anchor}"' not in page] == []


def test_links_on_the_page_lead_somewhere(page: str) -> None:
    targets = {part.partition('"')[0] for part in page.split('href="#')[1:]}

    assert [target for target in targets if f'id="{target}"' not in page] == []


def test_the_page_needs_nothing_that_its_policy_forbids(app: Flask, page: str) -> None:
    policy = app.test_client().get("/docs").headers["Content-Security-Policy"]

    assert "unsafe" not in policy
    for forbidden in ("<script", "<style", " style=", "onclick", "//cdn"):
        assert forbidden not in page
