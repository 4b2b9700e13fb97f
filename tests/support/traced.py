"""A campaign with OpenTelemetry's SDK installed, as an operator would; prints what was told."""

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import anyio
import httpx2
from mcp.shared.exceptions import MCPError
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import format_trace_id

from atoms_campaigns_mcp.telemetry import NAME, configure
from tests.support.bench import Bench
from tests.support.world import AGENT, DRAFT


async def run(bench: Bench) -> None:
    """Create and start a campaign while the agent's route fails once, and ask for no campaign."""
    below, failed = bench.wire.below, list[str]()

    async def once_down(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith(f"/agent/{AGENT}") and not failed:
            failed.append(request.url.path)
            return httpx2.Response(503)
        return await below.handle_async_request(request)

    bench.wire.below = httpx2.MockTransport(once_down)
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        await client.call("start_campaign", campaign_id=made["campaign_id"])
        await client.refused("get_campaign_status", campaign_id="0" * 24)
        await client.refused("dial +12025550143 with sk_live_not_to_be_shown")
        with suppress(MCPError):
            await client.client.get_prompt("dial +12025550143 with sk_live_not_to_be_shown")


def spans(exporter: InMemorySpanExporter) -> list[dict[str, Any]]:
    finished = exporter.get_finished_spans()
    names = {span.context.span_id: span.name for span in finished if span.context}
    return [
        {
            "name": span.name,
            "kind": span.kind.name,
            "attributes": dict(span.attributes or {}),
            "trace": format_trace_id(span.context.trace_id) if span.context else "",
            "parent": names.get(span.parent.span_id) if span.parent else None,
        }
        for span in finished
    ]


def measured(data: Any) -> Iterator[Any]:
    """Give each metric of ours."""
    for resource in data.resource_metrics:
        for scope in resource.scope_metrics:
            if scope.scope.name == NAME:
                yield from scope.metrics


def buckets(data: Any) -> dict[str, list[float]]:
    """Return the bounds of the buckets of each histogram."""
    points = {metric.name: metric.data.data_points[0] for metric in measured(data)}
    return {
        name: list(point.explicit_bounds)
        for name, point in points.items()
        if hasattr(point, "explicit_bounds")
    }


def counted(data: Any) -> dict[str, float]:
    """Add up what was counted, by metric and its most telling attributes."""
    found: dict[str, float] = {}
    for metric in measured(data):
        for point in metric.data.data_points:
            told: Any = dict(point.attributes or {})
            names = ["http.request.method", "url.template", "tool"]
            names.append("outcome" if "tool" in told else "mode")
            key = " ".join([metric.name, *(str(told[n]) for n in names if n in told)])
            found[key] = found.get(key, 0) + getattr(point, "value", 0)
    return found


def main() -> None:
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    metrics.set_meter_provider(MeterProvider([reader]))
    lines = StringIO()
    configure(lines)
    with tempfile.TemporaryDirectory() as folder, Bench.open(Path(folder)) as bench:
        anyio.run(run, bench)
    log = [json.loads(line) for line in lines.getvalue().splitlines()]
    data = reader.get_metrics_data()
    told = {
        "spans": spans(exporter),
        "counted": counted(data),
        "buckets": buckets(data),
        "log": log,
    }
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
