"""Nobody comes in without a token, and whoever is in may do what they may do, and no more."""

import json
import re
import time
import uuid
from pathlib import Path
from urllib.parse import quote

import pytest
from tornado.httpclient import HTTPRequest
from tornado.ioloop import IOLoop
from tornado.websocket import websocket_connect

from tests.gallery.conftest import LOGIN, client

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]


def test_who_is_not_signed_in_is_sent_to_the_door(house):
    status, headers, _ = house.get("/")

    assert status == 302
    assert headers["Location"].startswith("/login")
    assert house.get(f"/runs/{'0' * 32}/a.txt")[0] == 302
    assert house.get(f"/api/kernels/{uuid.uuid4()}")[0] == 403


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("/?agent=admin/slow", "/?agent=admin/slow"),
        ("/?agent=admin%2Fslow&x=1", "/?agent=admin/slow"),
        ("//evil.example/", "/"),
        ("https://evil.example/?agent=../x", "/"),
        ("http://[", "/"),
        ("/?agent=a/b%0d%0aX:y", "/"),
    ],
)
def test_whoever_signs_in_gets_the_agent_they_came_for_and_no_other_site(house, wanted, given):
    asked = quote(wanted, safe="")

    status, headers, _ = house.get(f"/login?token={LOGIN}&next={asked}")

    assert (status, headers["Location"]) == (302, given)


@pytest.mark.parametrize("query", ["token=wrong", "ticket=wrong"])
def test_an_address_that_opens_nothing_lets_nobody_in(house, query):
    status, headers, body = house.get(f"/login?{query}")

    assert status == 401
    assert "does not let anybody in" in body
    assert "workbench-gallery" not in str(headers)


@pytest.mark.parametrize("token", ["", "wrong", "a b", "%0d%0aX: y", "ä"])
def test_a_wrong_token_lets_nobody_in(house, token):
    _, headers, _ = house.get("/login")
    pair = headers["Set-Cookie"].partition(";")[0]
    body = f"token={token}&_xsrf={pair.partition('=')[2]}".encode()

    assert house.get("/login", method="POST", body=body, cookie=pair)[0] == 401
    # Another site cannot sign anybody in, either.
    assert house.get("/login", method="POST", body=b"token=x")[0] == 403


def test_a_token_is_exchanged_for_one_of_this_session_alone(house, vera):
    cookie = house.sign_in(vera)

    assert vera not in cookie
    assert user_of(house, cookie) == "vera"
    with client(house, house.server.token) as wb:
        told = wb.carry_out(_tokens())
    made = [one for one in told if one["user"] == "vera" and one["name"] == "gallery"]
    assert made
    assert all(one["expires_at"] for one in made)


def user_of(house, cookie):
    """Who the page says is signed in."""
    body = house.get("/", cookie=cookie)[2]
    _farewell(house, _kernel_of(body), cookie)
    return re.search(r'id="wb-user">([^<]*)<', body)[1]


def _tokens():
    from workbench.client.requests import Request

    return (yield Request(path="/tokens")).json()["items"]


def test_the_owners_address_and_a_ticket_open_the_gallery(house, vera):
    status, headers, _ = house.get(f"/login?token={LOGIN}")
    assert (status, headers["Location"]) == (302, "/")
    cookie = headers["Set-Cookie"].partition(";")[0]
    assert user_of(house, cookie) == "admin"

    with client(house, vera) as wb:
        ticket = wb.ticket("/me").partition("ticket=")[2]
    status, headers, _ = house.get(f"/login?ticket={ticket}")
    cookie = headers["Set-Cookie"].partition(";")[0]
    assert user_of(house, cookie) == "vera"
    assert house.get(f"/login?ticket={ticket}")[0] == 401


def test_who_signs_out_is_out_and_the_sessions_token_is_taken_back(house, walt):
    cookie = house.sign_in(walt)
    body = b"_xsrf=abcdefghijklmnop"

    left = house.get(
        "/logout", method="POST", body=body, cookie=f"{cookie}; _xsrf=abcdefghijklmnop"
    )

    assert left[0] == 302
    assert house.get("/", cookie=cookie)[0] == 302
    with client(house, house.server.token) as wb:
        made = [one for one in wb.carry_out(_tokens()) if one["user"] == "walt"]
    assert [one["name"] for one in made if one["revoked_at"]] == ["gallery"]


def test_files_of_a_run_are_handed_to_those_who_may_see_it_and_never_as_a_page(house, vera, walt):
    with client(house, vera) as wb:
        run = wb.agents.get("admin/long-walk").start({"steps": 1})
        run.wait()
    path = f"/runs/{run.id}/steps.csv"

    status, headers, body = house.get(path, cookie=house.sign_in(vera))
    assert (status, body) == (200, "step\n1\n")
    assert headers["Content-Disposition"].startswith("attachment")
    assert headers["Content-Security-Policy"].startswith("sandbox")
    assert house.get(path, cookie=house.sign_in(walt))[0] == 404
    assert house.get(f"/runs/{run.id}/none", cookie=house.sign_in(vera))[0] == 404


def test_the_page_shows_neither_code_nor_token_and_may_fetch_nothing_elsewhere(house, vera):
    cookie = house.sign_in(vera)

    status, headers, body = house.get("/", cookie=cookie)

    assert status == 200
    assert "ViewerPage" not in body
    assert "wb_" not in body
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    (nonce,) = re.findall(r"script-src 'self' 'nonce-([^']{20,})' blob:;", policy)
    acting = [tag for tag in re.findall(r"<script[^>]*>", body) if "json" not in tag]
    assert len(acting) in (3, 4)
    assert all(f'nonce="{nonce}"' in tag for tag in acting)
    assert not re.search(r"<[^>]+ on[a-z]+=", body)
    kernel = _kernel_of(body)
    other = house.sign_in(house.newcomer("xaver"))
    assert house.get(f"/api/kernels/{kernel}", cookie=cookie)[0] == 200
    assert house.get(f"/api/kernels/{kernel}", cookie=other)[0] == 403
    assert _farewell(house, kernel, other) == 404
    assert _farewell(house, kernel, cookie) == 204


def test_what_pages_load_is_packed_kept_for_good_and_no_other_file(house, vera):
    cookie = house.sign_in(vera)
    body = house.get("/", cookie=cookie)[2]
    _farewell(house, _kernel_of(body), cookie)
    (place,) = set(re.findall(r'"(/assets/[0-9a-f]{16}/)static/page.js"', body))

    status, headers, text = house.get(f"{place}static/page.js")
    assert (status, headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")
    assert (headers["Content-Encoding"], "wbBegin" in text) == (None, True)
    assert headers["Content-Security-Policy"] is None or "script-src 'self'" in str(headers)
    packed = house.get(f"{place}static/page.js", Accept_Encoding="gzip, br")
    assert (packed[0], packed[1]["Content-Encoding"]) == (200, "gzip")
    assert house.get("/assets/0000000000000000/static/page.js")[1]["Cache-Control"] == "no-cache"
    for path in (
        "static/none.js",
        "static/../conf.json",
        "static/%2e%2e/conf.json",
        "",
        "/etc/passwd",
    ):
        assert house.get(f"{place}{path}")[0] in (302, 404)
    # Who is not signed in teaches pages nothing.
    house.get(f"{place}static/voila.js?of=nobody")
    house.get(f"{place}static/voila.js?of=vera", cookie=cookie)
    body = house.get("/", cookie=cookie)[2]
    _farewell(house, _kernel_of(body), cookie)
    hints = re.findall(r'<link rel="preload" as="script" href="([^"]+)"', body)
    assert [hint for hint in hints if "voila.js" in hint] == [f"{place}static/voila.js?of=vera"]


def test_the_parts_of_voila_that_pages_ask_for_come_in_one_piece_next_time(house, vera):
    cookie = house.sign_in(vera)
    body = house.get("/", cookie=cookie)[2]
    _farewell(house, _kernel_of(body), cookie)
    (place,) = set(re.findall(r'"(/assets/[0-9a-f]{16}/)static/page.js"', body))
    part = house.get(f"{place}static/9151.voila.js", cookie=cookie)
    if part[0] == 404:
        pytest.skip("this release of Voilà has other parts")

    body = house.get("/", cookie=cookie)[2]

    _farewell(house, _kernel_of(body), cookie)
    (bundle,) = re.findall(r'src="([^"]*/bundle/[^"]+)" defer', body)
    status, headers, text = house.get(bundle)
    assert (status, "javascript" in headers["Content-Type"]) == (200, True)
    assert part[2] in text


def test_kernels_of_pages_are_forked_and_go_with_the_one_they_come_from(house, vera):
    cookie = house.sign_in(vera)
    kernel = _kernel_of(house.get("/", cookie=cookie)[2])

    commands = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in house.kernels()]

    assert commands
    assert all(b"workbench.gallery.prepared" in command for command in commands)
    _farewell(house, kernel, cookie)


def test_a_viewers_own_code_is_refused(house, vera):
    cookie = house.sign_in(vera)
    kernel = _kernel_of(house.get("/", cookie=cookie)[2])
    canary = f"/tmp/workbench-canary-{uuid.uuid4().hex}"
    code = f"open({canary!r}, 'w').close()"

    async def attempt():
        address = f"{house.url.replace('http', 'ws')}/api/kernels/{kernel}/channels?session_id=s"
        request = HTTPRequest(address, headers={"Cookie": cookie, "Origin": house.url})
        socket = await websocket_connect(request)
        for kind, channel, content in (
            ("execute_request", "shell", {"code": code, "silent": False}),
            ("execute_request", "control", {"code": code}),
            (
                "debug_request",
                "control",
                {"command": "evaluate", "arguments": {"expression": code}},
            ),
            ("kernel_info_request", "shell", {}),
        ):
            await socket.write_message(json.dumps(_message(kind, channel, content)))
        seen = []
        while "kernel_info_reply" not in seen:
            seen.append(json.loads(await socket.read_message())["msg_type"])
        socket.close()
        return seen

    seen = IOLoop(make_current=False).run_sync(attempt, timeout=60)

    assert "execute_reply" not in seen
    assert "debug_reply" not in seen
    assert not Path(canary).exists()
    _farewell(house, kernel, cookie)


def test_the_kernel_of_a_page_knows_nothing_of_the_workbench_but_the_way_there(house, vera):
    cookie = house.sign_in(vera)
    kernel = _kernel_of(house.get("/", cookie=cookie)[2])

    told = ""
    for pid in house.kernels():
        with open(f"/proc/{pid}/environ", errors="replace") as environ:
            told += environ.read()

    assert "PATH=" in told
    for secret in (
        "WORKBENCH_HOME",
        "canary-of-this-process",
        LOGIN,
        "HTTP_",
        "QUERY_STRING",
        "wb_",
    ):
        assert secret not in told
    _farewell(house, kernel, cookie)


def test_a_closed_page_leaves_no_kernel(house, vera):
    cookie = house.sign_in(vera)
    before = house.kernels()
    kernel = _kernel_of(house.get("/", cookie=cookie)[2])
    assert house.get(f"/api/kernels/{kernel}", cookie=cookie)[0] == 200

    _farewell(house, kernel, cookie)

    assert house.get(f"/api/kernels/{kernel}", cookie=cookie)[0] in (403, 404)
    ends = time.monotonic() + 30
    while len(house.kernels()) > max(1, len(before)) and time.monotonic() < ends:
        time.sleep(0.05)
    assert len(house.kernels()) <= max(1, len(before))


def _kernel_of(body):
    config = body.partition('id="jupyter-config-data"')[2].partition(">")[2].partition("</script>")
    return json.loads(config[0])["kernelId"]


def _farewell(house, kernel, cookie):
    return house.get(
        f"/voila/api/shutdown/{kernel}",
        method="POST",
        body=b"_xsrf=abcdefghijklmnop",
        cookie=f"{cookie}; _xsrf=abcdefghijklmnop",
    )[0]


def _message(kind, channel, content):
    header = {"msg_id": uuid.uuid4().hex, "session": "s", "username": "", "msg_type": kind}
    header |= {"version": "5.3", "date": "2026-01-01T00:00:00Z"}
    return {
        "header": header,
        "parent_header": {},
        "metadata": {},
        "content": content,
        "channel": channel,
        "buffers": [],
    }
