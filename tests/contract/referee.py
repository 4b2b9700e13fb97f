"""Judges exchanges between our client and the Atoms API, real or emulated, by openapi.yaml.

Client and emulator are written apart on purpose. This module is what they must both satisfy:

    transport = RefereedTransport(httpx2.ASGITransport(app))
    async with httpx2.AsyncClient(transport=transport, base_url="http://sandbox/atoms/v1") as http:
        ...
"""

import csv
import json
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO, StringIO
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

import httpx2
from jsonschema_rs import Draft202012Validator
from python_multipart import parse_form
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File

from tests.contract.document import DOCUMENT, Body, Operation, Reply, Value, operations

MOST_PROBLEMS: Final = 20
LONGEST_TEXT: Final = 240


class ContractBroken(AssertionError):
    """An exchange differs from the document; `problems` says where."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Referee:
    """Compares requests and responses with the document."""

    def __init__(self, document: Path = DOCUMENT) -> None:
        self._operations = operations(document)

    @property
    def operations(self) -> frozenset[str]:
        """The ids of all operations, to compare with those a test has seen."""
        return frozenset(operation.id for operation in self._operations)

    def operation_of(self, request: httpx2.Request) -> str | None:
        """The id of the operation that a request calls; `None` if there is no such operation."""
        operation = self._find(request)
        return operation.id if operation else None

    def check(
        self, request: httpx2.Request, response: httpx2.Response, *, judge_request: bool = True
    ) -> list[str]:
        """The problems of one exchange, or of its response alone with `judge_request=False`."""
        operation = self._find(request)
        if operation is None:
            return [f"{request.method} {request.url.path}: not in the document"]
        problems: list[str] = []
        if judge_request:
            problems += islice(_judge_request(operation, request), MOST_PROBLEMS)
        problems += islice(_judge_response(operation, response), MOST_PROBLEMS)
        return [f"{operation.id}: {problem}" for problem in problems]

    def _find(self, request: httpx2.Request) -> Operation | None:
        path = _raw_path(request)
        for operation in self._operations:
            if operation.method == request.method and operation.path.fullmatch(path):
                return operation
        return None


class RefereedTransport(httpx2.AsyncBaseTransport):
    """Passes exchanges on and raises `ContractBroken` for one that differs from the document.

    Problems are also kept in `problems`, because a server between test and transport may turn the
    exception into an answer of its own. `seen` holds the operations called. A test that sends
    mistakes on purpose sets `judge_requests=False`; the answers are still judged.
    """

    def __init__(
        self,
        inner: httpx2.AsyncBaseTransport,
        *,
        referee: Referee | None = None,
        judge_requests: bool = True,
    ) -> None:
        self.seen: set[str] = set()
        self.problems: list[str] = []
        self._inner = inner
        self._referee = referee or Referee()
        self._judge_requests = judge_requests

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        response = await _replayable(await self._inner.handle_async_request(request))
        if operation := self._referee.operation_of(request):
            self.seen.add(operation)
        problems = self._referee.check(request, _copy(response), judge_request=self._judge_requests)
        if problems:
            self.problems += problems
            raise ContractBroken(problems)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class Wrap(Protocol):
    """Makes a refereed transport of any other."""

    def __call__(
        self, inner: httpx2.AsyncBaseTransport, *, judge_requests: bool = True
    ) -> RefereedTransport: ...


@contextmanager
def refereeing(referee: Referee) -> Generator[Wrap]:
    """Gives a function that wraps transports; raises at the end what was swallowed on the way."""
    made: list[RefereedTransport] = []

    def wrap(inner: httpx2.AsyncBaseTransport, *, judge_requests: bool = True) -> RefereedTransport:
        made.append(RefereedTransport(inner, referee=referee, judge_requests=judge_requests))
        return made[-1]

    yield wrap
    if problems := [problem for transport in made for problem in transport.problems]:
        raise ContractBroken(problems)


async def _replayable(response: httpx2.Response) -> httpx2.Response:
    """The same response over bytes that may be read again, still encoded as they came."""
    if not isinstance(response.stream, httpx2.AsyncByteStream):
        raise TypeError("an async transport gave a response that only sync code can read")
    body = b"".join([chunk async for chunk in response.stream])
    await response.aclose()
    return httpx2.Response(
        response.status_code,
        headers=response.headers,
        stream=httpx2.ByteStream(body),
        extensions=response.extensions,
    )


def _copy(response: httpx2.Response) -> httpx2.Response:
    """Reading a response closes it, so the referee reads another one."""
    return httpx2.Response(response.status_code, headers=response.headers, stream=response.stream)


def _judge_request(operation: Operation, request: httpx2.Request) -> Iterator[str]:
    yield from _judge_path(operation, request)
    yield from _judge_query(operation, request)
    if not request.headers.get("authorization", "").startswith("Bearer "):
        yield "request carries no bearer key"
    yield from _judge_body(operation, request)


def _judge_path(operation: Operation, request: httpx2.Request) -> Iterator[str]:
    match = operation.path.fullmatch(_raw_path(request))
    for name, text in (match.groupdict() if match else {}).items():
        value = operation.path_values[name]
        yield from _problems(value.validator, value.read(text), f"path {name}")


def _judge_query(operation: Operation, request: httpx2.Request) -> Iterator[str]:
    seen: set[str] = set()
    for name, text in request.url.params.multi_items():
        if name in seen:
            yield f"query parameter {name} is repeated"
        seen.add(name)
        if value := operation.query.get(name):
            yield from _problems(value.validator, value.read(text), f"query {name}")
        elif operation.free_query is None:
            yield f"query parameter {name} is unknown"
        else:
            yield from _problems(operation.free_query, {name: text}, "query")
    for name, value in operation.query.items():
        if value.required and name not in seen:
            yield f"query parameter {name} is missing"


def _judge_body(operation: Operation, request: httpx2.Request) -> Iterator[str]:
    content = request.read()
    if not operation.bodies:
        if content:
            yield "request carries a body, none is due"
        return
    kind = _media_type(request.headers)
    body = operation.bodies.get(kind)
    if body is None:
        yield f"request is {kind or 'untyped'}, not {_either(operation.bodies)}"
    elif kind == "multipart/form-data":
        yield from _judge_form(body, request.headers["content-type"], content)
    else:
        yield from _judge_json(body.validator, content, "request")


def _judge_form(body: Body, content_type: str, content: bytes) -> Iterator[str]:
    parts: list[tuple[str, str, str | None]] = []

    def take_field(field: Field) -> None:
        name = (field.field_name or b"").decode()
        parts.append((name, (field.value or b"").decode(errors="replace"), None))

    def take_file(file: File) -> None:
        name = (file.field_name or b"").decode()
        parts.append((name, (file.file_name or b"").decode(), file.content_type or ""))
        file.close()

    try:
        headers = {"Content-Type": content_type.encode()}
        parse_form(headers, BytesIO(content), take_field, take_file)
    except FormParserError as error:
        yield f"request is no readable form: {error}"
        return
    names = [name for name, _, _ in parts]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"request part {name} is repeated"
    for name, _, kind in parts:
        due = body.files.get(name)
        if (kind and _bare(kind)) != due:
            yield f"request part {name} is {kind or 'a field'}, not {due or 'a field'}"
    yield from _problems(body.validator, {name: text for name, text, _ in parts}, "request")


def _judge_response(operation: Operation, response: httpx2.Response) -> Iterator[str]:
    reply = operation.replies.get(response.status_code)
    if reply is None:
        yield f"status {response.status_code} is not documented"
        return
    for name, value in reply.headers.items():
        yield from _judge_header(name, value, response.headers.get(name))
    if "*/*" not in reply.media:
        yield from _judge_content(reply, response)


def _judge_header(name: str, value: Value, text: str | None) -> Iterator[str]:
    if text is not None:
        yield from _problems(value.validator, value.read(text), f"response header {name}")
    elif value.required:
        yield f"response header {name} is missing"


def _judge_content(reply: Reply, response: httpx2.Response) -> Iterator[str]:
    where = f"response {response.status_code}"
    kind = _media_type(response.headers)
    content = response.read()
    validator = reply.media.get(kind)
    if validator is None:
        yield f"{where} is {kind or 'untyped'}, not {_either(reply.media)}"
    elif kind == "application/json":
        yield from _judge_json(validator, content, where)
    else:
        yield from _judge_text(validator, content, where)
        if kind == "text/csv":
            yield from _judge_csv(content, where)


def _judge_json(validator: Draft202012Validator, content: bytes, where: str) -> Iterator[str]:
    try:
        value = json.loads(content)
    except ValueError as error:
        yield f"{where} is not JSON: {error}"
    else:
        yield from _problems(validator, value, where)


def _judge_text(validator: Draft202012Validator, content: bytes, where: str) -> Iterator[str]:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        yield f"{where} is not UTF-8: {error}"
    else:
        yield from _problems(validator, text, where)


def _judge_csv(content: bytes, where: str) -> Iterator[str]:
    rows = list(csv.reader(StringIO(content.decode(errors="replace"), newline="")))
    if not rows:
        yield f"{where} has no header line"
    for number, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            yield f"{where} row {number} has {len(row)} cells, its header has {len(rows[0])}"


def _problems(validator: Draft202012Validator, value: object, where: str) -> Iterator[str]:
    for error in validator.iter_errors(value):
        path = "".join(
            f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.instance_path
        )
        yield f"{where}{path}: {_shortened(error.message)}"


def _shortened(text: str) -> str:
    """Without its middle: a message starts with the value and ends with what is wrong."""
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[: LONGEST_TEXT // 3]} ... {text[-LONGEST_TEXT * 2 // 3 :]}"


def _media_type(headers: httpx2.Headers) -> str:
    return _bare(headers.get("content-type", ""))


def _bare(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _raw_path(request: httpx2.Request) -> str:
    """As sent: an encoded slash inside an id must not look like a step of the path."""
    return request.url.raw_path.partition(b"?")[0].decode("ascii")


def _either(kinds: Iterable[str]) -> str:
    return " or ".join(kinds)
