"""Compare the OpenAI engine's request rate with a bare aiohttp loop on a loopback server; prints JSON.

The server runs in its own process, answers after 50 ms, and costs as little as it can. Runs alternate, so that a busy
machine slows both alike; the figure is the median of the pairs' ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import statistics
import time
from multiprocessing.connection import Connection

import aiohttp

from regold.engines.base import EngineSpec, Request
from regold.engines.openai import OpenAIEngine
from regold.record import Message

ANSWER = json.dumps(
    {
        "choices": [
            {
                "message": {"role": "assistant", "content": "The answer is B."},
                "logprobs": {"content": [{"token": t, "logprob": -0.1} for t in ("The", " answer", " is", " B.")]},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 20, "completion_tokens": 4},
    }
).encode()
REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(ANSWER), ANSWER)


class Answering(asyncio.Protocol):
    """Answers each request on a connection after a delay."""

    latency = 0.05

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, gap, body = self.buffer.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
        if gap and len(body) >= length:
            self.buffer = body[length:]
            asyncio.get_running_loop().call_later(self.latency, self.answer)

    def answer(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(REPLY)


def serve(pipe: Connection, latency: float) -> None:
    """Serve until the parent ends this process."""

    async def run() -> None:
        Answering.latency = latency
        server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()

    asyncio.run(run())


def question(number: int) -> tuple[Message, ...]:
    """Return a prompt of ordinary length."""
    return (Message("system", "Answer with one letter."), Message("user", f"#{number} " + "word " * 60))


async def bare(url: str, requests: int, in_flight: int) -> float:
    """Return the requests a second of a plain aiohttp loop: post, read the JSON, take the text."""
    numbers = iter(range(requests))

    async def worker(session: aiohttp.ClientSession) -> None:
        for n in numbers:
            messages = [{"role": m.role, "content": m.content} for m in question(n)]
            body = json.dumps({"model": "m", "messages": messages, "temperature": 0, "logprobs": True}).encode()
            async with session.post(f"{url}/chat/completions", data=body) as reply:
                done = json.loads(await reply.read())
                done["choices"][0]["message"]["content"]

    headers = {"Content-Type": "application/json", "Authorization": "Bearer none"}
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=0)) as session:
        start = time.perf_counter()
        await asyncio.gather(*(worker(session) for _ in range(in_flight)))
        return requests / (time.perf_counter() - start)


async def ours(url: str, requests: int, in_flight: int) -> float:
    """Return the requests a second through the engine."""
    engine = OpenAIEngine(EngineSpec("openai", "m", (url,), concurrency=in_flight))
    numbers = iter(range(requests))

    async def worker() -> None:
        for n in numbers:
            await engine.generate(Request(question(n), logprobs=True))

    start = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(in_flight)))
    rate = requests / (time.perf_counter() - start)
    await engine.close()
    return rate


def main() -> None:
    """Run the pairs and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--latency", type=float, default=0.05)
    arguments = parser.parse_args()
    receiving, sending = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(sending, arguments.latency), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{receiving.recv()}/v1"
    pairs, spent = [], {"bare": 0.0, "ours": 0.0}
    for number in range(arguments.pairs + 1):
        order = (bare, ours) if number % 2 else (ours, bare)
        rates = {}
        for way in order:
            before = time.process_time()
            rates[way.__name__] = asyncio.run(way(url, arguments.requests, arguments.in_flight))
            spent[way.__name__] += time.process_time() - before
        pairs.append((rates["ours"], rates["bare"]))
    server.terminate()
    measured = pairs[1:]  # the first warms up
    figures = {
        "ratio": round(statistics.median(a / b for a, b in measured), 3),
        "ours_per_s": round(statistics.median(a for a, _ in measured), 1),
        "bare_per_s": round(statistics.median(b for _, b in measured), 1),
        "ours_cpu_ms": round(1000 * spent["ours"] / arguments.requests / len(pairs), 3),
        "bare_cpu_ms": round(1000 * spent["bare"] / arguments.requests / len(pairs), 3),
        "ratios": [round(a / b, 3) for a, b in measured],
        "in_flight": arguments.in_flight,
        "latency_s": arguments.latency,
        "requests": arguments.requests,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
