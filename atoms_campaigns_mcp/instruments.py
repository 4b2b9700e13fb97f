"""Spans and metrics of what is done.

They go through the OpenTelemetry API: they cost next to nothing until the operator installs an SDK,
and then hang under the MCP SDK's spans. `docs/observability.md` explains each of them; a test holds
it and what is here together.
"""

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager

from opentelemetry import metrics, trace

from atoms_campaigns_mcp.errors import AtomsCampaignsError
from atoms_campaigns_mcp.telemetry import NAME, event

_ID = re.compile(r"/(?:[a-f0-9]{24}|CALL-[\w-]+)(?=/|$)")

# Seconds; a watch takes up to 45, and what nobody answers ends sooner than the last.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

_tracer = trace.get_tracer(NAME)
_meter = metrics.get_meter(NAME)


def _histogram(name: str, about: str) -> metrics.Histogram:
    return _meter.create_histogram(
        name, unit="s", description=about, explicit_bucket_boundaries_advisory=BUCKETS
    )


_requests = _meter.create_counter("atoms.requests", description="Requests to the Atoms API")
_durations = _histogram("atoms.request.duration", "Requests to the Atoms API, pacing and retries")
_retries = _meter.create_counter("atoms.retries", description="Repeated requests")
_calls = _meter.create_counter("atoms_campaigns.calls", description="Tool calls by outcome")
_call_durations = _histogram("atoms_campaigns.call.duration", "Tool calls")
_served = _histogram("http.server.request.duration", "Requests that were answered over HTTP")
_dials = _meter.create_counter(
    "atoms_campaigns.dials_started", description="Campaigns started, resumed or scheduled"
)


class Call:
    """One call of the API with its repetitions, as its span tells it."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self.attempts = 0
        self.status = 0
        self.request_id = ""

    def answered(self, status: int, request_id: str = "") -> None:
        """Note the status of the latest attempt, and the id that the vendor's support asks for."""
        self.attempts += 1
        self.status, self.request_id = status, request_id
        self._span.set_attribute("http.response.status_code", status)
        if request_id:
            self._span.set_attribute("atoms.request_id", request_id)

    def unanswered(self) -> None:
        """Note an attempt that nothing came back from."""
        self.attempts += 1
        self.status, self.request_id = 0, ""


@contextmanager
def upstream(method: str, path: str, monotonic: Callable[[], float]) -> Generator[Call]:
    """Put a span and metrics around a call of the API; `monotonic` gives seconds."""
    route = _ID.sub("/{id}", path.partition("?")[0])
    labels = {"http.request.method": method, "url.template": route}
    began, outcome = monotonic(), "ok"
    with _tracer.start_as_current_span(
        f"{method} {route}",
        kind=trace.SpanKind.CLIENT,
        attributes=labels,
        record_exception=False,
    ) as span:
        call = Call(span)
        try:
            yield call
        except AtomsCampaignsError as error:
            outcome = error.code
            raise
        except BaseException:
            outcome = "cancelled"
            raise
        finally:
            span.set_attribute("atoms.outcome", outcome)
            span.set_attribute("http.request.resend_count", max(call.attempts - 1, 0))
            _durations.record(monotonic() - began, {**labels, "outcome": outcome})
            _requests.add(1, {**labels, "status": call.status, "outcome": outcome})
            if call.attempts > 1:
                _retries.add(call.attempts - 1, labels)


def called(tool: str, outcome: str, mode: str, seconds: float, tenant: str) -> None:
    """Log and count a tool call; `outcome` is ok, asked, crashed or the code of an error."""
    labels = {"tool": tool, "outcome": outcome, "mode": mode}
    _calls.add(1, labels)
    _call_durations.record(seconds, labels)
    trace.get_current_span().set_attribute("atoms_campaigns.outcome", outcome)
    took = round(1000 * seconds)
    event("tool call", tool=tool, outcome=outcome, mode=mode, ms=took, tenant=tenant[:8])


def served(method: str, path: str, status: int, seconds: float) -> None:
    """Count an answer over HTTP; `path` is one of ours, and `status` 0 if there was none."""
    labels = {"http.request.method": method, "http.route": path}
    _served.record(seconds, {**labels, "http.response.status_code": status})


def dialled(mode: str) -> None:
    """Count a campaign that was started, resumed or scheduled."""
    _dials.add(1, {"mode": mode})
