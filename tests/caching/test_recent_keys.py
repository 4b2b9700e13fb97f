from atoms_campaigns_mcp.caching.recent_keys import RecentKeys
from tests.support.clock import FakeClock


def test_a_key_is_known_for_as_long_as_it_is_asked_for() -> None:
    clock = FakeClock()
    lately = RecentKeys(clock.monotonic)
    lately.note("a")
    clock.advance(seconds=59)
    assert lately.within(60, "a")
    clock.advance(seconds=1)
    assert not lately.within(60, "a")
    assert "a" in lately
    lately.forget("a")
    assert "a" not in lately
    assert not lately.within(60, "b")


def test_the_oldest_make_room_and_what_is_noted_again_is_young() -> None:
    lately = RecentKeys(FakeClock().monotonic, kept=2)
    for key in ("a", "b", "a", "c"):
        lately.note(key)
    assert [key in lately for key in "abc"] == [True, False, True]
