"""Every behaviour of manifest.yaml has a test, and every marked id is a behaviour."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import cast

import yaml

FOLDER = Path(__file__).parent
SOURCES = {
    "vendor API reference",
    "recorded from the live service",
    "vendor SDK",
    "vendor MCP server",
    "vendor docs",
    "user's samples",
    "ours",
}
DECISIONS = {f"S{number}" for number in range(1, 35)}


@cache
def manifest() -> list[dict[str, str]]:
    text = (FOLDER / "manifest.yaml").read_text(encoding="utf-8")
    return cast("list[dict[str, str]]", yaml.safe_load(text))


@cache
def marked() -> dict[str, tuple[str, ...]]:
    """The ids by the test that is marked with them, read without importing anything."""
    return {
        f"{path.name}::{function.name}": tuple(_ids(function))
        for path in sorted(FOLDER.glob("test_*.py"))
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
    }


def _ids(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """The arguments of `@behaviour`, alone or as `marks` of a parameter."""
    for decorator in function.decorator_list:
        for node in ast.walk(decorator):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("behaviour"):
                yield from (cast("str", ast.literal_eval(argument)) for argument in node.args)


def test_ids_are_unique_and_sorted() -> None:
    ids = [one["id"] for one in manifest()]
    assert ids == sorted(set(ids))


def test_an_id_is_a_resource_an_aspect_and_a_rule() -> None:
    for one in manifest():
        assert re.fullmatch(r"[a-z]+(\.[a-z0-9]+(-[a-z0-9]+)*){2}", one["id"])


def test_every_behaviour_says_in_one_sentence_what_is_required_and_where_it_is_from() -> None:
    for one in manifest():
        assert one.keys() - {"decision"} == {"id", "source", "required"}, one["id"]
        assert one["source"] in SOURCES, one["id"]
        assert re.fullmatch(r"[A-Z].{10,}[^.]\.", one["required"]), one["id"]


def test_what_is_ours_names_its_decision_and_every_decision_is_there() -> None:
    for one in manifest():
        assert one.get("decision") or one["source"] != "ours", one["id"]
    assert {one["decision"] for one in manifest() if "decision" in one} == DECISIONS


def test_every_behaviour_has_a_test() -> None:
    tested = {id_ for ids in marked().values() for id_ in ids}
    assert {one["id"] for one in manifest()} - tested == set()


def test_every_mark_is_on_a_test_and_is_a_behaviour() -> None:
    known = {one["id"] for one in manifest()}
    for test, ids in marked().items():
        assert set(ids) <= known, test
        assert not ids or "::test_" in test, test


def test_every_test_of_behaviours_is_marked() -> None:
    tests = {test for test in marked() if re.match(r"test_behaviours_\w+\.py::test_", test)}
    assert len(tests) > len(manifest())
    assert {test for test in tests if not marked()[test]} == set()
