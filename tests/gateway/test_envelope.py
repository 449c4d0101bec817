"""What nobody foresaw is told in the one shape, and why only in the log."""

import asyncio
import contextlib
import logging

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError

from workbench.gateway.envelope import Enveloped, log_request


class Breaking(Enveloped):
    def get(self):
        if self.get_query_argument("how", "") == "http":
            raise HTTPError(int(self.get_query_argument("status")), "as it was said")
        raise RuntimeError("at /home/somebody/secret.py")

    def put(self):
        self.write("kept")


def ask(path, **more):
    async def answer():
        application = Application([(r"/.*", Breaking)], log_function=log_request)
        server = HTTPServer(application)
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}{path}"
        client = AsyncHTTPClient(force_instance=True)
        try:
            return await client.fetch(url, raise_error=False, **more)
        finally:
            client.close()
            server.stop()
            await server.close_all_connections()

    return asyncio.run(answer())


def test_a_bug_is_told_by_number_and_logged_by_name(caplog):
    with caplog.at_level(logging.WARNING):
        said = ask("/x?token=abc", headers={"X-Request-Id": "find-me"})

    body = said.body.decode()
    assert said.code == 500
    assert '"Internal"' in body and "find-me" in body
    assert "secret.py" not in body and "Traceback" not in body
    assert "secret.py" in caplog.text and "find-me" in caplog.text
    assert "abc" not in caplog.text


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "InvalidRequest"),
        (403, "InsufficientPermissions"),
        (404, "NotFound"),
        (500, "Internal"),
    ],
)
def test_a_bare_http_error_is_told_in_the_one_shape(status, code):
    said = ask(f"/x?how=http&status={status}")

    assert said.code == status
    assert f'"{code}"' in said.body.decode()


def test_a_method_that_is_not_there_is_told_in_the_one_shape():
    said = ask("/x", method="DELETE")

    assert said.code == 405
    assert '"MethodNotAllowed"' in said.body.decode()


def test_an_answer_carries_no_digest_no_cookie_and_no_maker():
    said = ask("/x", method="PUT", body="")

    assert said.body == b"kept"
    assert not {"Etag", "Set-Cookie", "Server"} & set(said.headers)


def test_a_line_of_the_log_holds_no_line_break(caplog):
    with caplog.at_level(logging.DEBUG), contextlib.suppress(ValueError):
        ask("/a%0Ab?q=%0Ac")

    assert "\nb" not in caplog.text and "\nc" not in caplog.text
