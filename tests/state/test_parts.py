"""The store is made of small parts, and every backend has all of them."""

from importlib.util import find_spec

import pytest

from atoms_campaigns_mcp.errors import ConfigurationError, NotRecorded
from atoms_campaigns_mcp.state import store
from atoms_campaigns_mcp.state.unavailable import UnavailableStore

PARTS = {
    "plans": store.PlanStore,
    "locks": store.LockStore,
    "journal": store.JournalStore,
    "uploads": store.UploadStore,
    "caller_ids": store.CallerIdStore,
    "guard": store.GuardStore,
    "pace": store.PaceStore,
}
METHODS = [
    (part, name)
    for part, protocol in PARTS.items()
    for name in vars(protocol)
    if not name.startswith("_")
]


def test_the_store_is_made_of_these_parts() -> None:
    named = {name for name, value in vars(store.Store).items() if isinstance(value, property)}
    assert named == {*PARTS, "shared_state"}


@pytest.mark.parametrize("backend", ["sqlite", "redis"])
@pytest.mark.parametrize("part", PARTS)
def test_a_backend_has_each_part_in_a_module_of_its_name(backend: str, part: str) -> None:
    assert find_spec(f"atoms_campaigns_mcp.state.{backend}.{part}")


@pytest.mark.anyio
@pytest.mark.parametrize(("part", "method"), METHODS)
async def test_a_state_that_cannot_be_opened_refuses_every_record(part: str, method: str) -> None:
    unavailable = UnavailableStore(ConfigurationError("The disk is gone.", next_step="Look."))
    with pytest.raises(NotRecorded, match="The disk is gone") as caught:
        await getattr(getattr(unavailable, part), method)("a", campaign_id="b")
    assert caught.value.next_step == "Look."
