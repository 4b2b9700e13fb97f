"""A stand-in for the model behind a host: it calls the tools of a script, then says it is done.

It speaks as much of Anthropic's Messages, OpenAI's Responses and Chat Completions, and Gemini's
generateContent as the hosts under test need, always as a stream.
"""

import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Step = tuple[str, dict[str, Any]]
Frames = list[tuple[str, dict[str, Any]]]
SAID = "Done."
_CALL = "call_0"


@dataclass
class Model:
    """What it will call, and what it was shown.

    Attributes:
        script: Names of our tools with arguments, in order.
        offered: Our tools as the host named them in its latest request.
        results: What came back from each call, as the host wrote it.
        without: Requests that offered none of our tools: hosts do not wait for servers to start.
    """

    script: list[Step]
    url: str = ""
    offered: list[str] = field(default_factory=list[str])
    results: list[str] = field(default_factory=list[str])
    without: int = 0

    def next(self, offered: list[str], results: list[str]) -> tuple[str, dict[str, Any]] | None:
        """Give the tool to call, by the host's name for it; none when there is nothing left."""
        ours = [name for name in offered if re.search(r"(list|pause)_campaigns?$", name)]
        if not ours:
            self.without += 1
            return None
        self.offered, self.results = offered, results
        if len(results) >= len(self.script):
            return None
        wanted, arguments = self.script[len(results)]
        return next(name for name in offered if name.endswith(wanted)), arguments


def _anthropic(model: Model, asked: dict[str, Any]) -> Frames:
    offered = [tool["name"] for tool in asked.get("tools", [])]
    parts = [p for m in asked["messages"] if isinstance(m["content"], list) for p in m["content"]]
    results = [json.dumps(p.get("content")) for p in parts if p["type"] == "tool_result"]
    step = model.next(offered, results)
    start: dict[str, Any] = {"type": "text", "text": ""}
    delta: dict[str, Any] = {"type": "text_delta", "text": SAID}
    if step:
        number = f"toolu_{len(results)}"
        start = {"type": "tool_use", "id": number, "name": step[0], "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(step[1])}
    usage = {"input_tokens": 1, "output_tokens": 1}
    message: dict[str, Any] = {
        "id": "msg_0",
        "type": "message",
        "role": "assistant",
        "model": asked["model"],
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    reason = {"stop_reason": "tool_use" if step else "end_turn", "stop_sequence": None}
    frames: list[dict[str, Any]] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": start},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": reason, "usage": usage},
        {"type": "message_stop"},
    ]
    return [(frame["type"], frame) for frame in frames]


def _responses(model: Model, asked: dict[str, Any]) -> Frames:
    tools = [t for tool in asked.get("tools", []) for t in _flat(tool)]
    results = [
        json.dumps(item["output"]) for item in asked["input"] if item["type"].endswith("_output")
    ]
    step = model.next([name for name, _ in tools], results)
    item: dict[str, Any]
    if step:
        name, space = next(tool for tool in tools if tool[0] == step[0])
        item = {"type": "function_call", "id": "fc_0", "call_id": f"{_CALL}{len(results)}"}
        item |= {"name": name, "arguments": json.dumps(step[1])}
        item |= {"namespace": space} if space else {}
    else:
        content: list[dict[str, Any]] = [{"type": "output_text", "text": SAID, "annotations": []}]
        item = {"type": "message", "id": "msg_0", "role": "assistant", "content": content}
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    usage |= {"input_tokens_details": None, "output_tokens_details": None}
    done = {"id": "resp_0", "status": "completed", "output": [item], "usage": usage}
    return [
        ("response.created", {"type": "response.created", "response": {"id": "resp_0"}}),
        (
            "response.output_item.done",
            {"type": "response.output_item.done", "output_index": 0, "item": item},
        ),
        ("response.completed", {"type": "response.completed", "response": done}),
    ]


def _flat(tool: dict[str, Any]) -> list[tuple[str, str]]:
    """Give the functions of a tool, with the namespace they are in."""
    if tool["type"] == "namespace":
        return [(inner["name"], tool["name"]) for inner in tool["tools"]]
    return [(tool["name"], "")] if "name" in tool else []


def _chat(model: Model, asked: dict[str, Any]) -> Frames:
    offered = [tool["function"]["name"] for tool in asked.get("tools", [])]
    results = [json.dumps(m["content"]) for m in asked["messages"] if m["role"] == "tool"]
    step = model.next(offered, results)
    delta: dict[str, Any] = {"role": "assistant", "content": SAID}
    if step:
        function = {"name": step[0], "arguments": json.dumps(step[1])}
        call = {"index": 0, "id": f"{_CALL}{len(results)}", "type": "function"}
        delta = {
            "role": "assistant",
            "content": None,
            "tool_calls": [{**call, "function": function}],
        }
    frame = {"id": "c_0", "object": "chat.completion.chunk", "created": 0, "model": asked["model"]}
    last = "tool_calls" if step else "stop"
    return [
        ("", {**frame, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}),
        ("", {**frame, "choices": [{"index": 0, "delta": {}, "finish_reason": last}]}),
    ]


def _gemini(model: Model, asked: dict[str, Any]) -> Frames:
    tools = [d for tool in asked.get("tools", []) for d in tool.get("functionDeclarations", [])]
    parts = [part for content in asked["contents"] for part in content.get("parts", [])]
    results = [
        json.dumps(part["functionResponse"]["response"])
        for part in parts
        if "functionResponse" in part
    ]
    step = model.next([tool["name"] for tool in tools], results)
    part: dict[str, Any] = {"text": SAID}
    if step:
        part = {"functionCall": {"name": step[0], "args": step[1]}}
    candidate = {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}
    usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
    return [("", {"candidates": [candidate], "usageMetadata": usage})]


_WIRES = {
    "/messages": _anthropic,
    "/responses": _responses,
    "/chat/completions": _chat,
    "generateContent": _gemini,
    "streamGenerateContent": _gemini,
}


def _answering(model: Model) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = self.path.partition("?")[0]
            wire = next((w for end, w in _WIRES.items() if path.endswith(end)), None)
            if wire is None:  # counts of tokens, telemetry
                self.reply("application/json", b'{"input_tokens": 1, "totalTokens": 1}')
                return
            asked = json.loads(body)
            frames = wire(model, asked)
            if path.endswith(":generateContent") or (
                wire is _anthropic and not asked.get("stream")
            ):
                self.reply("application/json", json.dumps(_whole(frames)).encode())
                return
            text = "".join(
                (f"event: {name}\n" if name else "") + f"data: {json.dumps(data)}\n\n"
                for name, data in frames
            )
            end = "data: [DONE]\n\n" if wire is _chat else ""
            self.reply("text/event-stream", (text + end).encode())

        def do_GET(self) -> None:
            self.reply("application/json", b'{"data": [], "models": []}')

        def reply(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    return Handler


@contextmanager
def standing_in(script: list[Step]) -> Generator[Model]:
    """Serve on a free port of this machine."""
    model = Model(script)

    server = ThreadingHTTPServer(("127.0.0.1", 0), _answering(model))
    thread = Thread(target=server.serve_forever)
    thread.start()
    model.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield model
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _whole(frames: Frames) -> dict[str, Any]:
    """Put a stream of Anthropic's or Gemini's into one answer; it holds no call."""
    first = frames[0][1]
    if "message" not in first:
        return first
    content = [{"type": "text", "text": SAID}]
    return {**first["message"], "content": content, "stop_reason": "end_turn"}
