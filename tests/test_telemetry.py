import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from hypothesis import given, strategies as st
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from atoms_campaigns_mcp.atoms.client import AtomsClient
from atoms_campaigns_mcp.telemetry import configure, log, mask_number, redact
from tests.support.bench import Bench
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def exporter() -> Iterator[InMemorySpanExporter]:
    """Install the SDK as an operator would; it cannot be taken out again, but keeps no more."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    yield exporter
    provider.shutdown()
    exporter.clear()


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    exporter.clear()
    yield exporter
    exporter.clear()


@pytest.fixture(scope="module")
def measured() -> Iterator[InMemoryMetricReader]:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    metrics.set_meter_provider(provider)
    yield reader
    provider.shutdown()


@pytest.mark.parametrize(
    ("number", "masked"),
    [("+919876543210", "+91********10"), ("12025550143", "12*******43"), ("1234", "****")],
)
def test_a_masked_number_keeps_two_digits_on_either_side(number: str, masked: str) -> None:
    assert mask_number(number) == masked


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True), st.sampled_from(["", " ", "tel: "]))
def test_no_full_number_survives_redaction(number: str, before: str) -> None:
    assert number[1:] not in redact(f"{before}{number} is not valid")


@pytest.mark.parametrize(
    "text",
    [
        "+1 202 555 0143",
        "(202) 555-0143 x",
        "call 202.555.0143 now",
        "number:2025550143",
        "202\u2011555\u20110143",
    ],
)
def test_numbers_with_separators_are_redacted_too(text: str) -> None:
    assert "555" not in redact(text)


@pytest.mark.parametrize(
    "text", ["sk_live_abcDEF-123", "Authorization: Bearer abc.def", "bearer sk_live_abcDEF-123"]
)
def test_keys_are_redacted(text: str) -> None:
    assert not {"abc", "DEF", "123"} & set(redact(text).replace("*", " ").split())
    assert "abc" not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "696ddd2a04ff172dbd8eddad",
        "2027-01-15T10:00:00Z",
        "on 2027-01-15",
        "CALL-1778226705739-7e4c17",
        "max 10000",
    ],
)
def test_ids_times_and_counts_are_left_alone(text: str) -> None:
    assert redact(text) == text


def test_logs_are_redacted_json_lines() -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        configure(stream)
        log.info("called %s with %s", "+12025550143", "sk_live_abc")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    line = json.loads(stream.getvalue())
    assert line["message"] == "called +12*******43 with sk_***"


async def test_a_tool_call_has_a_span_for_each_call_of_the_api_and_counts_what_it_does(
    bench: Bench, spans: InMemorySpanExporter, measured: InMemoryMetricReader
) -> None:
    below, failed = bench.wire.below, list[str]()

    async def once_down(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/agent/696ddd281ea16a73cb8aafbe") and not failed:
            failed.append(request.url.path)
            return httpx2.Response(503)
        return await below.handle_async_request(request)

    bench.wire.below = httpx2.MockTransport(once_down)
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        await client.call("start_campaign", campaign_id=made["campaign_id"])
        await client.refused("get_campaign_status", campaign_id="0" * 24)
    ours = [s for s in spans.get_finished_spans() if s.name.startswith(("GET", "POST"))]
    posts = [s for s in ours if s.name.startswith("POST")]
    assert [s.name for s in posts] == ["POST /campaign", "POST /campaign/{id}/start"]
    assert all((s.attributes or {})["http.response.status_code"] in {201, 202} for s in posts)
    assert all(len(str((s.attributes or {})["atoms.request_id"])) == 36 for s in posts)
    resent = [s for s in ours if (s.attributes or {})["http.request.resend_count"] == 1]
    assert [s.name for s in resent] == ["GET /agent/{id}"]
    assert {str((s.attributes or {})["atoms.outcome"]) for s in ours} == {"ok", "not_found"}
    parents = {s.context.span_id: s.name for s in spans.get_finished_spans() if s.context}
    assert posts[0].parent is not None
    assert parents[posts[0].parent.span_id] == "tools/call create_campaign"
    values = totals(measured)
    assert values["atoms.retries", "GET /agent/{id}"] == 1
    assert values["atoms_campaigns.calls", "create_campaign ok"] == 1
    assert values["atoms_campaigns.calls", "get_campaign_status not_found"] == 1
    assert values["atoms_campaigns.dials_started", ""] == 1
    assert values["atoms.requests", "POST /campaign"] == 1


def totals(reader: InMemoryMetricReader) -> dict[tuple[str, str], float]:
    """Add up what was counted, by metric and its most telling attributes."""
    found: dict[tuple[str, str], float] = {}
    data = reader.get_metrics_data()
    assert data is not None
    for resource in data.resource_metrics:
        for metric in [m for scope in resource.scope_metrics for m in scope.metrics]:
            for point in metric.data.data_points:
                told: Any = dict(point.attributes or {})
                names = ("http.request.method", "url.template", "tool")
                words = [str(told[name]) for name in names if name in told]
                words += [str(told["outcome"])] if "tool" in told else []
                key = metric.name, " ".join(words)
                found[key] = found.get(key, 0) + getattr(point, "value", 0)
    return found


async def test_every_line_of_a_call_carries_its_id(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(*_: object, **__: object) -> None:
        raise ValueError("boom")

    stream = io.StringIO()
    configure(stream)
    try:
        async with bench.client() as client:
            monkeypatch.setattr(AtomsClient, "list_agents", crash)
            text = await client.refused("list_agents")
    finally:
        configure()
    line = json.loads(stream.getvalue().splitlines()[0])
    assert f"(call {line['call']})" in text
    assert "boom" in line["traceback"]


def test_text_lines_are_for_people_and_hide_what_json_hides() -> None:
    stream = io.StringIO()
    configure(stream, form="text")
    try:
        log.info("calling %s", "+12025550143")
    finally:
        configure()
    assert stream.getvalue().endswith("info calling +12*******43\n")
