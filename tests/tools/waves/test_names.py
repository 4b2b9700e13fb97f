"""Names of waves: each its own, and none longer than the API takes."""

from zoneinfo import available_timezones

from hypothesis import given, strategies as st

from atoms_campaigns_mcp.guardrails.waves.sizes import MOST_WAVES
from atoms_campaigns_mcp.schemas.fields import CAMPAIGN_NAME_MAX, WAVES_NAME_MAX
from atoms_campaigns_mcp.toolkit.waves.names import is_wave_of, names_of

ZONES = st.sampled_from(sorted(available_timezones()))


@given(
    st.text("aé😀 ", min_size=1, max_size=WAVES_NAME_MAX).map(str.strip).filter(bool),
    st.lists(ZONES, min_size=1, max_size=MOST_WAVES),
)
def test_names_of_any_zones_fit_differ_and_are_found_again(common: str, zones: list[str]) -> None:
    names = names_of(common, zones)
    assert len(set(names)) == len(zones)
    assert max(map(len, names)) <= CAMPAIGN_NAME_MAX
    assert all(is_wave_of(name, common) for name in names)
