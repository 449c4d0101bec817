"""An upstream that misbehaves on request: what each path of it does is said where it is put up."""

import asyncio
import contextlib
import json
import threading
from contextlib import asynccontextmanager, contextmanager

COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-5.4-mini-2026",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "four"},
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "prompt_tokens": 1000,
        "completion_tokens": 100,
        "total_tokens": 1100,
        "prompt_tokens_details": {"cached_tokens": 400},
        "completion_tokens_details": {"reasoning_tokens": 20},
    },
}


def answer(body, *, status=200, headers=()):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers)
    return head.encode() + b"Content-Type: application/json\r\n\r\n" + content


def failure(status, *, code=None, **headers):
    body = {"error": {"message": "no", "type": "x", "code": code}}
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return answer(body, status=status, headers=named)


def chunks(*texts, usage=True, done=True):
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    said = [
        {**base, "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
        for text in texts
    ]
    if done:
        said.append({**base, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    if usage:
        said.append({**base, "choices": [], "usage": COMPLETION["usage"]})
    frames = [f"data: {json.dumps(each)}\n\n".encode() for each in said]
    return [*frames, b"data: [DONE]\n\n"] if done else frames


STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)


def piece(data):
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def stream(frames, *, end=True):
    return STREAM_HEAD + b"".join(map(piece, frames)) + (b"0\r\n\r\n" if end else b"")


class Misbehaving:
    """Answers each request with the next of what it was told, and the last one for ever.

    What it is told is bytes, or a coroutine function that is given the writer.
    """

    def __init__(self):
        self.plan = []
        self.asked = []
        self.heads = []
        self.url = ""
        self.open = set()

    def will(self, *answers):
        self.plan = list(answers)
        self.asked.clear()
        self.heads.clear()

    async def serve(self, reader, writer):
        self.open.add(asyncio.current_task())
        try:
            await self.exchange(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    async def exchange(self, reader, writer):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length:")
            )
            self.heads.append(head.decode())
            self.asked.append(json.loads(await reader.readexactly(length)))
            todo = self.plan.pop(0) if len(self.plan) > 1 else self.plan[0]
            if callable(todo):
                await todo(writer)
                with contextlib.suppress(ConnectionError):
                    writer.close()
                    await writer.wait_closed()
                return
            writer.write(todo)
            await writer.drain()


@asynccontextmanager
async def misbehaving():
    """One of them, at a port of its own."""
    upstream = Misbehaving()
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0)
    upstream.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield upstream
    finally:
        server.close()
        for task in upstream.open:
            task.cancel()
        await asyncio.gather(*upstream.open, return_exceptions=True)


@contextmanager
def misbehaving_in_a_thread():
    """One of them, for tests that run no loop of their own."""
    ready, over = threading.Event(), threading.Event()
    box = []

    async def serve():
        async with misbehaving() as server:
            box.append(server)
            ready.set()
            await asyncio.get_running_loop().run_in_executor(None, over.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(60)
        yield box[0]
    finally:
        over.set()
        thread.join()
