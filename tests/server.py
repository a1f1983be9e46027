"""A counting OpenAI-compatible server for tests: answers by a script, can be slow, and can fail in every way.

Run in its own process by `running`; it outlives the client that a test kills. Each request is added to a log before it
is answered: `<path> <digest of the body>`. POST /control changes its latency and faults while it runs. A fault is
`{"kind": ..., "times": n, "match": text in the body}`; its kinds are the functions and statuses of `FAULTS`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aiohttp import web

from regold.engines.base import Request
from regold.engines.scripted import TOKEN, ScriptedEngine, load_script
from regold.record import Message

FAULTS: dict[str, tuple[int, Any]] = {
    "400": (400, {"error": {"message": "prompt is too long", "type": "BadRequestError", "code": 400}}),
    "401": (401, {"error": {"message": "Incorrect API key provided: {key}", "code": "invalid_api_key"}}),
    "402": (402, {"error": {"message": "Insufficient credits", "code": 402}}),
    "403": (403, {"error": {"message": "forbidden"}}),
    "flagged": (403, {"error": {"message": "input flagged", "metadata": {"flagged_input": "x", "reasons": ["y"]}}}),
    "quota": (429, {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}),
    "429": (429, {"error": {"message": "too many requests", "code": "rate_limit_exceeded"}}),
    "500": (500, {"error": {"message": "could not generate at this rate", "code": 500}}),
    "503": (503, {"error": {"message": "overloaded", "code": 503}}),
    "error200": (200, {"error": {"message": "provider is down", "code": 502}}),
    "html": (200, "<!doctype html>\n<title>Router login</title>"),
    "torn": (200, '{"choices": [{"message": {"content": "The ans'),
    "nonsense": (200, {"hello": "world"}),
    "redirect": (302, ""),
    "window": (400, {"error": {"message": "max_tokens=512 is too many", "param": "max_tokens", "code": 400}}),
    "max_tokens": (
        400,
        {"error": {"message": "use the other one", "code": "unsupported_parameter", "param": "max_tokens"}},
    ),
}
"""What a fault answers. Besides: drop, slow, no_logprobs, no_schema, wrong_scores, no_tokenize, wrong_echo."""


class Server:
    """The state of one server process."""

    def __init__(self, rules: str, log: Path, model: str, latency: float) -> None:
        self.engine = ScriptedEngine(load_script(rules))
        self.log, self.model, self.latency = log.open("a", encoding="utf-8"), model, latency
        self.faults: list[dict[str, Any]] = []
        self.words: dict[str, int] = {}
        self.prompts: dict[tuple[int, ...], tuple[Message, ...]] = {}

    def app(self) -> web.Application:
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/control", self.control)
        app.router.add_get("/v1/models", self.models)
        for path, answer in {
            "/v1/chat/completions": self.chat,
            "/v1/completions": self.completions,
            "/v1/embeddings": self.embeddings,
            "/tokenize": self.tokenize,
        }.items():
            app.router.add_post(path, self.guarded(answer))
        return app

    def guarded(self, answer: Any) -> Any:
        async def handle(request: web.Request) -> web.StreamResponse:
            raw = await request.read()
            self.log.write(f"{request.path} {hashlib.sha256(raw).hexdigest()[:16]}\n")
            self.log.flush()
            body = json.loads(raw)
            fault = self.due(request.path, raw.decode())
            await asyncio.sleep(fault.get("delay", self.latency))
            kind = fault.get("kind", "")
            if kind == "drop":
                request.transport.close()  # type: ignore[union-attr]
                return web.Response()
            if kind in FAULTS:
                return self.faulty(fault, request)
            if body.get("model") != self.model:
                error = {
                    "message": f"The model `{body.get('model')}` does not exist.",
                    "type": "NotFoundError",
                    "code": 404,
                }
                return web.json_response({"error": error}, status=404)
            return await answer(body, kind)

        return handle

    def due(self, path: str, text: str) -> dict[str, Any]:
        for fault in self.faults:
            if fault.get("times", 1) > 0 and fault.get("match", "") in text and fault.get("path", path) == path:
                fault["times"] = fault.get("times", 1) - 1
                return fault
        return {}

    def faulty(self, fault: dict[str, Any], request: web.Request) -> web.Response:
        status, body = FAULTS[fault["kind"]]
        text = body if isinstance(body, str) else json.dumps(body)
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        headers = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
        headers |= {"Location": "/login"} if status == 302 else {}
        return web.Response(status=status, text=text.replace("{key}", key), headers=headers)

    async def control(self, request: web.Request) -> web.Response:
        order = await request.json()
        self.faults = order.get("faults", self.faults)
        self.latency = order.get("latency", self.latency)
        return web.json_response({})

    async def models(self, request: web.Request) -> web.Response:
        return web.json_response(
            {"object": "list", "data": [{"id": self.model, "object": "model", "max_model_len": 256}]}
        )

    async def chat(self, body: dict[str, Any], kind: str) -> web.Response:
        request = Request(
            tuple(Message(m["role"], m["content"]) for m in body["messages"]),
            temperature=body.get("temperature", 1.0),
            max_tokens=body.get("max_tokens") or body["max_completion_tokens"],
            logprobs=True,
        )
        done = await self.engine.generate(request)
        text = '{"word": "amber"}' if "response_format" in body and kind != "no_schema" else done.text
        tokens = [*TOKEN.findall(text), *(["<end>"] if done.finish == "stop" else [])]
        logprob = done.logprobs[0] if done.logprobs else -0.1
        listed = [{"token": t, "logprob": logprob, "bytes": list(t.encode(errors="surrogatepass"))} for t in tokens]
        asked = body.get("logprobs") and kind != "no_logprobs"
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": text},
            "logprobs": {"content": listed} if asked else None,
            "finish_reason": done.finish,
        }
        usage = {"prompt_tokens": done.prompt_tokens, "completion_tokens": done.completion_tokens}
        return web.json_response({"object": "chat.completion", "choices": [choice], "usage": usage})

    async def tokenize(self, body: dict[str, Any], kind: str) -> web.Response:
        if kind == "no_tokenize":
            return web.json_response({"detail": "Not Found"}, status=404)
        texts = [body["prompt"]] if "prompt" in body else [m["content"] for m in body["messages"]]
        tokens = [self.words.setdefault(t, len(self.words)) for text in texts for t in TOKEN.findall(text)]
        if "messages" in body:
            tokens.append(self.words.setdefault(json.dumps(body["messages"]), len(self.words)))
            self.prompts[tuple(tokens)] = tuple(Message(m["role"], m["content"]) for m in body["messages"])
        return web.json_response({"count": len(tokens), "tokens": tokens})

    async def completions(self, body: dict[str, Any], kind: str) -> web.Response:
        ids = body["prompt"]
        prefix = next(n for n in range(len(ids), 0, -1) if tuple(ids[:n]) in self.prompts)
        words = {number: word for word, number in self.words.items()}
        response = "".join(words[i] for i in ids[prefix:])
        scores = await self.engine.score(self.prompts[tuple(ids[:prefix])], response)
        own = [v - 2.5 for v in scores.logprobs] if kind == "wrong_scores" else list(scores.logprobs)
        values = [None, *([-1.0] * (prefix - 1)), *own]
        values = values if kind != "wrong_echo" else values[:1]
        choice = {"index": 0, "text": "", "logprobs": {"token_logprobs": values}, "finish_reason": "stop"}
        return web.json_response({"choices": [choice]})

    async def embeddings(self, body: dict[str, Any], kind: str) -> web.Response:
        data = [{"index": i, "embedding": _vector(t)} for i, t in enumerate(body["input"])]
        return web.json_response({"data": data[::-1]})


def _vector(text: str) -> list[float]:
    return [b / 255 - 0.5 for b in hashlib.sha256(text.encode()).digest()[:8]]


class Running:
    """A running server, as a test sees it."""

    def __init__(self, root: str, log: Path, process: subprocess.Popen[str]) -> None:
        self.root, self.url, self.log, self.process = root, f"{root}/v1", log, process

    def control(self, **order: Any) -> None:
        """Change faults or latency."""
        request = urllib.request.Request(f"{self.root}/control", json.dumps(order).encode())
        urllib.request.urlopen(request, timeout=10).close()

    def count(self, path: str = "/v1/") -> Counter[str]:
        """Return how often each distinct request was received; by default of the paid paths only."""
        lines = (line.split() for line in self.log.read_text().splitlines())
        return Counter(f"{p} {body}" for p, body in lines if p.startswith(path))


@contextlib.contextmanager
def running(folder: Path, rules: Path | None = None, latency: float = 0.0, model: str = "tiny") -> Iterator[Running]:
    """Run a server in its own process until the block ends."""
    log = folder / "requests.log"
    command = [sys.executable, __file__, "--log", str(log), "--model", model, "--latency", str(latency)]
    command += ["--rules", str(rules)] if rules else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Running(process.stdout.readline().strip(), log, process)
        finally:
            process.kill()


async def serve(arguments: argparse.Namespace) -> None:
    """Serve for ever, after one line with the address."""
    server = Server(arguments.rules, arguments.log, arguments.model, arguments.latency)
    runner = web.AppRunner(server.app(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}", flush=True)  # type: ignore[union-attr]
    await asyncio.Event().wait()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rules", default="")
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--latency", type=float, default=0.0)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
