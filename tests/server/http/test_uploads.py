"""Contact lists that do not pass the model: sent apart, used by id, gone after a while."""

from pathlib import Path

import pytest

from atoms_campaigns_mcp.server.http.uploads import LIFETIME, MOST, WORKBOOK
from tests.support.bench import Bench
from tests.support.serving import ERAS
from tests.support.team import ANNA, BERT, CSV, Team, serving_team
from tests.support.workbooks import workbook

pytestmark = pytest.mark.anyio
LIST = "phone,name\n+12025550111,Maya\n+12025550112,Søren\nnobody,Eve\n"


async def put(team: Team, content: bytes, key: str = ANNA, **headers: str) -> tuple[int, str]:
    async with team.http(key, **headers) as http:
        answer = await http.put("/contacts", content=content, headers=CSV)
    return answer.status_code, answer.json().get("upload_id", answer.json().get("error"))


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
async def test_an_upload_makes_an_audience_and_adds_to_one(team: Team, era: str) -> None:
    _, first = await put(team, LIST.encode())
    _, second = await put(team, b"phone\n+12025550113\n+12025550111")
    async with team.client(ANNA, era) as client:
        tools = {tool.name: tool for tool in (await client.client.list_tools()).tools}
        made = await client.call("create_audience", name="Uploaded", upload_id=first)
        added = await client.call("add_contacts", audience_id=made["audience_id"], upload_id=second)
    assert "file" not in tools["create_audience"].input_schema["properties"]
    assert (made["contacts"], len(made["rejected"])) == (2, 1)
    assert (added["added"], added["skipped"]) == (1, 1)


@pytest.mark.slow
async def test_a_workbook_is_uploaded_as_it_is(team: Team) -> None:
    rows = [["Mobile", "name"], [919876543210, "Maya"], ["12", "Eve"]]
    book = workbook(Cover=[["January"]], People=rows)
    async with team.http(ANNA) as http:
        answer = await http.put("/contacts", content=book, headers={"Content-Type": WORKBOOK})
    assert answer.status_code == 201
    upload = answer.json()["upload_id"]
    async with team.client(ANNA) as client:
        cover = await client.refused("create_audience", name="Book", upload_id=upload)
        made = await client.call(
            "create_audience", name="Book", upload_id=upload, sheet="people", default_region="IN"
        )
        added = await client.call(
            "add_contacts",
            audience_id=made["audience_id"],
            upload_id=upload,
            sheet="People",
            default_region="IN",
        )
    assert "People" in cover
    assert (made["contacts"], made["countries"], made["rejected_rows"]) == (1, ["IN: 1"], 1)
    assert (added["added"], added["skipped"]) == (0, 1)


@pytest.mark.slow
async def test_an_upload_is_gone_after_a_quarter_of_an_hour(team: Team) -> None:
    _, upload = await put(team, LIST.encode())
    async with team.client(ANNA) as client:
        team.bench.clock.advance(seconds=LIFETIME - 1)
        await client.call("create_audience", name="In time", upload_id=upload)
        team.bench.clock.advance(seconds=2)
        late = await client.refused("create_audience", name="Late", upload_id=upload)
    assert "upload" in late


@pytest.mark.slow
async def test_a_tenant_keeps_a_few_uploads_and_others_keep_theirs(team: Team) -> None:
    kept = [(await put(team, LIST.encode()))[0] for _ in range(MOST + 1)]
    assert kept == [201] * MOST + [429]
    assert (await put(team, LIST.encode(), BERT))[0] == 201
    team.bench.clock.advance(seconds=LIFETIME + 1)
    assert (await put(team, LIST.encode()))[0] == 201


@pytest.mark.parametrize("narrowed", [True, False], ids=["by the client", "by the operator"])
async def test_where_nothing_may_change_nothing_is_uploaded(
    bench: Bench, *, narrowed: bool
) -> None:
    bench.configure(read_only=not narrowed)
    modes = {"Atoms_Mcp_Modes": "read-only"} if narrowed else {}
    async with serving_team(bench) as team:
        assert await put(team, LIST.encode(), **modes) == (403, "forbidden")


@pytest.mark.parametrize(
    ("kind", "content", "status"),
    [
        ("application/json", b"[" * 500_000, 415),
        ("multipart/form-data; boundary=x", b"--x", 415),
        ("", b"phone", 415),
        ("text/csv", b"", 400),
        ("Text/CSV; charset=utf-8", b"phone\n+12025550111", 201),
    ],
)
async def test_a_list_is_sent_as_csv_and_not_empty(
    team: Team, kind: str, content: bytes, status: int
) -> None:
    async with team.http(ANNA) as http:
        answer = await http.put("/contacts", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    [b"phone\n\xff\xfe\xfa", b"\x00\x01\x02", b"phone\n" + b'"' * 100_000, b"," * 1_000_000],
)
async def test_what_is_no_list_is_refused_when_it_is_used(team: Team, content: bytes) -> None:
    _, upload = await put(team, content)
    async with team.client(ANNA) as client:
        refused = await client.refused("create_audience", name="Odd", upload_id=upload)
        assert len((await client.call("list_audiences"))["audiences"]) == 3
    assert "fault of its own" not in refused
    assert len(refused) < 1_000


@pytest.mark.slow
async def test_only_the_id_of_an_upload_names_it(team: Team) -> None:
    await put(team, LIST.encode())
    async with team.client(ANNA) as client:
        for guess in ("", "%", "*", "' OR 1=1 --", "0" * 32, "../state.sqlite3"):
            refused = await client.refused("create_audience", name="Guess", upload_id=guess)
            assert "fault of its own" not in refused


async def test_a_file_of_the_servers_machine_cannot_be_named(bench: Bench, tmp_path: Path) -> None:
    bench.configure(files=(tmp_path,))
    async with serving_team(bench) as team, team.client(ANNA) as client:
        secret = str(tmp_path / "state.sqlite3")
        await client.refused("create_audience", name="Theirs", file=secret)
