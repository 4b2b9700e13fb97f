"""What a first call needs is imported without looking for garbage meanwhile."""

import gc
from collections.abc import Iterator

import pytest

from atoms_campaigns_mcp import runtime
from atoms_campaigns_mcp.server.stdio.session import prepare


@pytest.fixture
def not_collecting() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


@pytest.mark.usefixtures("not_collecting")
def test_garbage_is_collected_once_all_is_imported() -> None:
    prepare("sandbox")
    assert gc.isenabled()
    assert gc.get_freeze_count()


@pytest.mark.usefixtures("not_collecting")
def test_and_also_if_something_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise ImportError

    monkeypatch.setattr(runtime, "prepare", missing)
    with pytest.raises(ImportError):
        prepare("sandbox")
    assert gc.isenabled()
