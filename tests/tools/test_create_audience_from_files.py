"""Audiences from files: the allowed folders, and nothing outside them."""

import tracemalloc
from pathlib import Path

import pytest

from tests.support.bench import Bench
from tests.support.lists import LIST

pytestmark = pytest.mark.anyio


def folders(bench: Bench, tmp_path: Path, *names: str) -> list[Path]:
    made = [tmp_path.resolve() / name for name in names]
    for folder in made:
        folder.mkdir()
    bench.configure(files=tuple(made))
    return made


@pytest.mark.slow
async def test_a_file_is_found_in_any_allowed_folder_by_name_or_path(
    bench: Bench, tmp_path: Path
) -> None:
    first, second = folders(bench, tmp_path, "first", "second")
    (first / "deep").mkdir()
    (first / "deep" / "a.csv").write_text(LIST, "utf-8")
    (second / "b.csv").write_text(LIST, "utf-8")
    (second / "link.csv").symlink_to(second / "b.csv")
    async with bench.client() as client:
        for name in ("deep/a.csv", "b.csv", "link.csv", str(second / "b.csv"), "x/../b.csv"):
            made = await client.call("create_audience", name="A", file=name)
            assert made["contacts"] == 3, name


async def test_without_allowed_folders_no_file_is_read(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(LIST, "utf-8")
    async with bench.client() as client:
        text = await client.refused("create_audience", name="A", file=str(tmp_path / "a.csv"))
    assert "the operator of this server allows no folder (ATOMS_MCP_FILES" in text
    assert "Pass the list as csv" in text
    assert bench.wire.requests == []


@pytest.mark.parametrize(
    "name",
    [
        "../secret.csv",
        "{outside}",
        "link.csv",
        "dir/secret.csv",
        "loop/x.csv",
        "loop",
        "/etc/passwd",
    ],
)
async def test_nothing_outside_the_allowed_folders_can_be_reached(
    bench: Bench, tmp_path: Path, name: str
) -> None:
    (inside,) = folders(bench, tmp_path, "inside")
    outside = inside.parent / "secret.csv"
    outside.write_text(LIST, "utf-8")
    (inside / "link.csv").symlink_to(outside)
    (inside / "dir").symlink_to(tmp_path)
    (inside / "loop").symlink_to(inside / "loop")
    async with bench.client() as client:
        text = await client.refused(
            "create_audience", name="A", file=name.replace("{outside}", str(outside))
        )
    assert "file: it is not in a folder that the operator allows" in text
    assert bench.wire.requests == []


@pytest.mark.parametrize("name", ["none.csv", ".", "n" * 300, "a.csv/b", "deep/" * 150 + "x"])
async def test_a_file_that_is_not_there_is_a_clear_error(
    bench: Bench, tmp_path: Path, name: str
) -> None:
    (folder,) = folders(bench, tmp_path, "inside")
    (folder / "a.csv").write_text(LIST, "utf-8")
    async with bench.client() as client:
        text = await client.refused("create_audience", name="A", file=name)
    assert "file: there is no such file in the allowed folders" in text
    assert str(tmp_path) not in text
    assert bench.wire.requests == []


async def test_a_file_of_100_megabytes_is_refused_without_being_read_whole(
    bench: Bench, tmp_path: Path
) -> None:
    (folder,) = folders(bench, tmp_path, "inside")
    with (folder / "huge.csv").open("wb") as file:
        file.write(b"phone,name\n")
        file.truncate(100_000_000)
    tracemalloc.start()
    async with bench.client() as client:
        text = await client.refused("create_audience", name="A", file="huge.csv")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "it has 100.0 MB; at most 5 MB" in text
    assert peak < 30_000_000
    assert bench.wire.requests == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04 a spreadsheet", "Excel or zip file"),
        (LIST.encode("utf-16"), "UTF-16"),
        (bytes(range(256)) * 40, "not CSV text in UTF-8"),
        ("phone,name\n+14155550100,Jos\u00e9".encode("latin-1"), "it is not UTF-8 text"),
        (b"", "it is empty"),
        (b"phone,name\n", "a header but no contacts"),
        (b'phone,name\n+14155550100,"never closed\n', "quotes do not match"),
    ],
)
async def test_a_file_that_is_no_list_is_a_clear_error(
    bench: Bench, tmp_path: Path, content: bytes, words: str
) -> None:
    (folder,) = folders(bench, tmp_path, "inside")
    (folder / "a.csv").write_bytes(content)
    async with bench.client() as client:
        text = await client.refused("create_audience", name="A", file="a.csv")
    assert words in text
    assert "Nothing was created" in text
    assert bench.wire.requests == []
