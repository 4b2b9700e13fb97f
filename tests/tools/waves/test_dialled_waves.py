"""Waves as the sandbox dials them while a clock changes: by its own record of every dial."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import pytest

from atoms_campaigns_mcp.sandbox.engine.options import Options
from tests.guard.yard import yard
from tests.tools.waves.waving import CALLS, listed

pytestmark = pytest.mark.anyio
FIRST = {
    12125550100: "America/New_York",
    442079460000: "Europe/London",
    919876543210: "Asia/Kolkata",
    9779812345000: "Asia/Kathmandu",
}


@pytest.mark.slow
@pytest.mark.parametrize("completion", ["settled", "dispatched"])
async def test_every_call_and_retry_is_dialled_within_the_hours_of_its_own_zone(
    tmp_path: Path, completion: Literal["settled", "dispatched"]
) -> None:
    zones = {f"+{first + place}": zone for first, zone in FIRST.items() for place in range(50)}
    options = Options(speed=1, org_limit=3, completion=completion)
    hours = {"date": "2027-03-13", "local_start": "10:00", "local_end": "11:00"}
    retries = {"max_retries": 1, "retry_delay": 5}
    with yard(tmp_path, options) as place:
        async with place.bench.client() as client:
            await listed(client, list(zones))
            made = await client.call(
                "schedule_waves", **{**CALLS, **hours, **retries, "name": "Guarded"}
            )
        ends = max(datetime.fromisoformat(wave["latest_end"]) for wave in made["waves"])
        place.clock.moment = ends + timedelta(days=1)
        await place.bench.api("GET", "/campaign")
        dials = place.dials()
    assert {wave["local_start"][:10] for wave in made["waves"]} >= {"2027-03-13", "2027-03-14"}
    assert {number for _, number in dials} == set(zones)
    assert len(dials) > len(zones)  # retries are among them
    assert [at for at, number in dials if at.astimezone(ZoneInfo(zones[number])).hour != 10] == []
