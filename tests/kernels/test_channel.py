"""A channel tells of every message, and waits for nobody."""

import asyncio

import pytest
import zmq

from workbench.kernels.channel import Channel, receive
from workbench.kernels.connection import make_context


@pytest.fixture
def ends(tmp_path_factory):
    """A channel, and the socket at its other end."""
    context = make_context(frame_bytes=1_000_000)
    url = f"ipc://{tmp_path_factory.mktemp('c')}/s"
    other = context.socket(zmq.ROUTER)
    other.setsockopt(zmq.RCVHWM, 10)
    other.bind(url)
    socket = context.socket(zmq.DEALER)
    socket.identity = b"me"
    socket.connect(url)
    channel = Channel(socket)
    yield channel, other
    channel.close()
    channel.close()
    context.destroy(linger=0)


def test_what_comes_is_heard_whether_somebody_waits_or_not(ends):
    channel, other = ends

    async def main():
        channel.send([b"hello"])
        assert await asyncio.to_thread(other.recv_multipart) == [b"me", b"hello"]
        waiting = asyncio.ensure_future(receive(channel))
        await asyncio.sleep(0)
        for n in range(3):
            other.send_multipart([b"me", b"%d" % n, b"more"])
        heard = [await waiting]
        # Sending takes notice of what has come; nobody who waits may miss it.
        channel.send([b"again"])
        return heard + [await receive(channel) for _ in range(2)]

    heard = asyncio.run(asyncio.wait_for(main(), 60))

    assert heard == [[b"%d" % n, b"more"] for n in range(3)]


def test_who_waits_is_let_go_by_a_future_and_by_the_clock(ends):
    channel, _ = ends

    async def main():
        until = asyncio.get_running_loop().create_future()
        waiting = asyncio.ensure_future(receive(channel, until))
        await asyncio.sleep(0)
        until.set_result(None)
        return await waiting, await receive(channel, until), await receive(channel, seconds=0.01)

    assert asyncio.run(asyncio.wait_for(main(), 60)) == (None, None, None)


def test_nobody_waits_for_who_does_not_read(ends):
    channel, _ = ends

    for _ in range(5_000):
        channel.send([b"x" * 1_000])
