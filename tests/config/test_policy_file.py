"""Policy files: what they may hold, where they are looked for, and that nobody can widen them."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st
from platformdirs.macos import MacOS
from platformdirs.unix import Unix

from atoms_campaigns_mcp.config.narrowing import STRICTEST_FIRST
from atoms_campaigns_mcp.config.policy_file import NAME, SITE, USER, Folder, folders, policies
from atoms_campaigns_mcp.config.settings import SETTINGS, Settings
from atoms_campaigns_mcp.errors import ConfigurationError
from tests.support.process import INITIALIZE, OURS, environment, spawned

APP = "atoms-campaigns-mcp"


def loaded(
    tmp_path: Path,
    *,
    user: str = "",
    site: str = "",
    flag: str = "",
    **environ: str,
) -> Settings:
    """Read settings on a machine with these policies, `flag` being written name=value."""
    found: list[Folder] = []
    for kind, text in ((SITE, site), (USER, user)):
        (tmp_path / kind).mkdir(exist_ok=True)
        (tmp_path / kind / NAME).write_text(text)
        found.append(Folder(kind, tmp_path / kind))
    flags = dict([flag.split("=")]) if flag else {}
    return Settings.load(environ, flags, policies=policies(found))


def refusal(tmp_path: Path, **texts: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path, **texts)
    return str(caught.value)


LIMITS = {  # a setting: a policy, a wider wish, and a narrower one with what holds then
    "confirm": ('"human"', "never", "human", "human"),
    "read_only": ("true", "0", "1", True),
    "no_dial": ("true", "no", "yes", True),
    "require_dnc_clean": ("true", "false", "true", True),
    "show_numbers": ("false", "1", "0", False),
    "max_contacts": ("500", "501", "20", 20),
    "max_running": ("2", "9", "1", 1),
    "calling_hours": ('"09:00-18:00"', "08:00-21:00", "10:00-20:00", (600, 1080)),
    "allowed_agents": ('["a", "b"]', "b,a,c", "b,c", ("b",)),
    "allowed_caller_ids": ('"a,b"', "a,b,c", "b", ("b",)),
    "allowed_hosts": ('["a", "b"]', "a,b,c", "a", ("a",)),
    "allowed_origins": ('["https://a"]', "https://b,https://a", "https://a", ("https://a",)),
    "client_rate": ("5", "50", "2.5", 2.5),
    "client_calls": ("5", "50", "2", 2),
    "rate": ("5.5", "50", "2", 2),
    "guard_until": (
        "2027-01-04T20:00:00-05:00",
        "2027-01-05T02:00+01:00",
        "2027-01-05T00:30Z",
        datetime(2027, 1, 5, 0, 30, tzinfo=UTC),
    ),
    "guard_spend": ("25", "26", "24.5", 24.5),
    "guard_after": ("50", "51", "20", 20),
    "guard_min_answered": ("20", "10%", "30%", 30),
    "guard_max_failed": ("20", "21", "19", 19),
    "guard_max_short": ("20", "21", "19", 19),
    "guard_max_opt_outs": ("2", "3", "1.5", 1.5),
    "guard_opt_outs": ('["a", "b"]', "b", "b,c", ("a", "b", "c")),
}


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("kind", ["user", "site"])
def test_environment_and_flags_narrow_a_policy_and_never_widen_it(
    tmp_path: Path, kind: str, name: str
) -> None:
    policy, wider, narrower, held = LIMITS[name]
    file = {kind: f"{name} = {policy}"}
    alone = getattr(loaded(tmp_path, **file), name)
    variable = f"ATOMS_MCP_{name.upper()}"
    for given in ({variable: wider}, {"flag": f"{name}={wider}"}):
        both = loaded(tmp_path, **file, **given)
        assert getattr(both, name) == alone
        assert both.origins[name].startswith(f"{kind} policy")
    assert getattr(loaded(tmp_path, **file, **{variable: narrower}), name) == held


def test_every_limit_and_mode_says_how_it_narrows() -> None:
    narrowed = {row.name for row in SETTINGS if row.narrow}
    assert narrowed == {*LIMITS, "live", "files"}


def test_a_folder_for_files_is_one_inside_both(tmp_path: Path) -> None:
    for name in ("data", "data/in", "other"):
        (tmp_path / name).mkdir()
    policy = f'files = ["{tmp_path}/data"]'
    for given, held in (("", "data"), ("data/in", "data/in"), (".", "data"), ("other", None)):
        wish = {"ATOMS_MCP_FILES": str(tmp_path / given)} if given else {}
        found = loaded(tmp_path, user=policy, **wish)
        assert found.files == ((tmp_path / held,) if held else ())


def test_lists_and_hours_that_have_nothing_in_common_stop_the_start(tmp_path: Path) -> None:
    text = refusal(tmp_path, user='allowed_agents = ["a"]', ATOMS_MCP_ALLOWED_AGENTS="b")
    assert "ATOMS_MCP_ALLOWED_AGENTS" in text
    assert USER in text
    text = refusal(
        tmp_path, user='calling_hours = "09:00-12:00"', ATOMS_MCP_CALLING_HOURS="12:00-18:00"
    )
    assert "no hour in common" in text


@pytest.mark.slow
@hypothesis.given(
    said=st.lists(st.one_of(st.none(), st.sampled_from(STRICTEST_FIRST)), min_size=3, max_size=3),
    most=st.lists(st.one_of(st.none(), st.integers(1, 99)), min_size=3, max_size=3),
)
@hypothesis.settings(
    deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
def test_the_strictest_of_site_user_and_environment_holds(
    tmp_path: Path, said: list[str | None], most: list[int | None]
) -> None:
    texts = [
        "\n".join(
            f"{name} = {value!r}"
            for name, value in (("confirm", confirm), ("max_contacts", count))
            if value is not None
        )
        for confirm, count in zip(said, most, strict=True)
    ]
    environ = {
        name: str(value)
        for name, value in (("ATOMS_MCP_CONFIRM", said[2]), ("ATOMS_MCP_MAX_CONTACTS", most[2]))
        if value is not None
    }
    found = loaded(tmp_path, site=texts[0], user=texts[1], **environ)
    wishes = [STRICTEST_FIRST.index(value) for value in said if value]
    assert found.confirm == STRICTEST_FIRST[min(wishes, default=1)]
    assert found.max_contacts == min((n for n in most if n is not None), default=10_000)


def test_what_is_no_limit_is_taken_from_the_nearest_source(tmp_path: Path) -> None:
    policy = {"site": 'log = "text"\nsandbox_seed = 3', "user": "sandbox_seed = 4"}
    assert (loaded(tmp_path, **policy).log, loaded(tmp_path, **policy).sandbox_seed) == ("text", 4)
    nearer = loaded(tmp_path, **policy, ATOMS_MCP_LOG="json", ATOMS_MCP_SANDBOX_SEED="5")
    assert (nearer.log, nearer.sandbox_seed) == ("json", 5)


@pytest.mark.parametrize(
    "line",
    ['smallest_api_key = "sk_x"', 'atoms_api_key = ""', 'secret = "hidden"',
     'state = "redis://:hidden@host/0"'],
)  # fmt: skip
def test_a_secret_in_a_policy_is_refused_and_not_shown(tmp_path: Path, line: str) -> None:
    text = refusal(tmp_path, user=line)
    assert line.split(maxsplit=1)[0] in text
    assert str(tmp_path / USER / NAME) in text
    assert "secret" in text
    assert "sk_x" not in text
    assert "hidden" not in text


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("readonly = true", "read_only"),
        ("read-only = true", "read_only"),
        ("ATOMS_MCP_READ_ONLY = true", "read_only"),
        ("max_contact = 5", "max_contacts"),
        ("something_else = 1", "docs/configuration.md"),
    ],
)
def test_an_unknown_name_stops_the_start_with_the_nearest_right_one(
    tmp_path: Path, line: str, meant: str
) -> None:
    text = refusal(tmp_path, user=line)
    assert str(tmp_path / USER / NAME) in text
    assert line.split(maxsplit=1)[0] in text
    assert meant in text.split("no setting")[1]


@pytest.mark.parametrize(
    "line",
    [
        'read_only = "maybe"',
        "read_only = 2",
        "max_contacts = true",
        "max_contacts = [5]",
        "max_contacts = 0",
        "allowed_agents = [1]",
        'allowed_agents = ["a,b"]',
        # Whoever writes a limit that names nothing does not mean everything.
        "allowed_agents = []",
        'allowed_agents = ["", " "]',
        'allowed_agents = ","',
        "files = []",
        "confirm = 1",
        "calling_hours = 09:00:00",
        "[max_contacts]",
    ],
)
def test_a_bad_value_stops_the_start_with_file_and_key(tmp_path: Path, line: str) -> None:
    text = refusal(tmp_path, user=line)
    assert str(tmp_path / USER / NAME) in text
    assert line.strip("[]").split()[0] in text
    assert "It means" in text


@pytest.mark.parametrize(
    "content", [b"max_contacts 'hidden'", b"a = 1\na = 1", b"\xff\xfe", b"a=["]
)
def test_a_policy_that_is_no_toml_stops_the_start(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        policies([Folder(USER, tmp_path)])
    assert str(tmp_path / NAME) in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_a_policy_that_cannot_be_read_stops_the_start_and_none_does_not(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        policies([Folder(USER, tmp_path)])
    (tmp_path / "file").touch()
    assert policies([Folder(USER, tmp_path / "no"), Folder(USER, tmp_path / "file")]) == []


def test_the_folders_are_platformdirs_own_whatever_a_client_passes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"):
        monkeypatch.delenv(name, raising=False)
    for platform, dirs in (("linux", Unix(APP)), ("darwin", MacOS(APP))):
        site, user = folders(tmp_path, platform, {})
        assert (site.path, user.path) == (dirs.site_config_path, dirs.user_config_path)
        moved = folders(tmp_path, platform, {"XDG_CONFIG_HOME": "/xdg", "XDG_CONFIG_DIRS": "/no"})
        assert moved == (site, user, Folder(USER, Path("/xdg", APP), fixed=False))
    assert [folder.kind for folder in folders(None, "linux", {})] == [SITE]


def test_an_unknown_variable_of_ours_stops_the_start_with_the_nearest_right_one() -> None:
    for wrong, meant in (
        ("ATOMS_MCP_READONLY", "ATOMS_MCP_READ_ONLY"),
        ("atoms_mcp_read_only", "ATOMS_MCP_READ_ONLY"),
        ("ATOMS_MCP_MAX_CONTACT", "ATOMS_MCP_MAX_CONTACTS"),
        ("ATOMS_MCP_KEY_OF_MINE", "docs/configuration.md"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            Settings.load({wrong: "hidden"})
        assert str(caught.value).startswith(wrong)
        assert meant in str(caught.value)
        assert "hidden" not in str(caught.value)


@pytest.mark.slow
def test_a_host_that_drops_the_environment_cannot_drop_the_policy(tmp_path: Path) -> None:
    folder = tmp_path / ".config" / APP
    folder.mkdir(parents=True)
    (folder / NAME).write_text("read_only = true\n")
    env = {**environment(tmp_path / "state", ATOMS_MCP_READ_ONLY="0"), "HOME": str(tmp_path)}
    for given in (env, {"HOME": str(tmp_path), "ATOMS_MCP_STATE": str(tmp_path / "state")}):
        with spawned("serve", env=given) as child:
            child.ask(1, "initialize", INITIALIZE)
            tools = {row["name"] for row in child.ask(2, "tools/list")["result"]["tools"]}
        assert "get_account" in tools
        assert "start_campaign" not in tools
    (folder / NAME).write_text("read_onyl = true\n")
    with spawned("serve", env=env) as child:
        code, err = child.leave()
    assert (code, err.count("\n")) == (2, 1)
    assert "Did you mean read_only?" in err


def demonstrated(home: Path, policy: str) -> subprocess.CompletedProcess[str]:
    """Run the demonstration under a policy of the user."""
    folder = home / ".config" / APP
    folder.mkdir(parents=True)
    (folder / NAME).write_text(policy)
    return subprocess.run(
        [*OURS, "demo"],
        env={**environment(home / "state"), "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.slow
def test_a_demonstration_that_a_policy_forbids_says_so_and_no_traceback(tmp_path: Path) -> None:
    done = demonstrated(tmp_path, 'allowed_agents = ["Nobody"]')
    said = " ".join(done.stdout.split())
    assert (done.returncode, done.stderr) == (1, "")
    assert "The demonstration failed: start_campaign:" in said
    assert "policy.toml" in said


@pytest.mark.slow
@pytest.mark.parametrize("content", ["live = true", "max_contacts = 0", "max_contact = 5", "="])
def test_a_policy_that_stops_every_start_stops_the_demonstration_in_its_own_words(
    tmp_path: Path, content: str
) -> None:
    done = demonstrated(tmp_path, content)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("atoms-campaigns-mcp: ")
    assert done.stderr.count("\n") == 1
