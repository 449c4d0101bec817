"""A file is given out whole or in the part that is asked for, as what it is or as mere bytes."""

import asyncio
import io
import threading

import pytest
from tornado.httputil import HTTPHeaders

from workbench.domain.access import Principal, Role
from workbench.errors import RangeNotSatisfiable
from workbench.gateway.downloads import PIECE_BYTES, download, media_of
from workbench.gateway.kept import Kept
from workbench.gateway.metering import Metering
from workbench.gateway.requests import Call

CONTENT = bytes(range(100))
TAG = '"abc"'

LEAVER = """\
# %%
from pathlib import Path
Path("big.bin").write_bytes(bytes(range(256)) * 40_000)
Path("ünder <b>.html").write_text("<script>alert(1)</script>")
Path("empty.csv").touch()
"""


class Watched(io.BytesIO):
    """Bytes that remember how much of them was read at once."""

    largest = 0

    def read(self, size=-1):
        piece = super().read(size)
        self.largest = max(self.largest, len(piece))
        return piece


def ask(content=CONTENT, file=None, **headers):
    """The answer, and the bytes that are sent."""
    call = Call(
        app=None,
        principal=Principal(user="ada", role=Role.AUTHOR),
        method="GET",
        path="/",
        places={},
        query="",
        headers=HTTPHeaders({name.replace("_", "-"): text for name, text in headers.items()}),
        body=b"",
        origin="http://here",
        ends=asyncio.Event(),
        opens=lambda _: False,
        metering=Metering(),
        kept=Kept(),
    )
    file = file or io.BytesIO(content)
    answer = download(call, file, path="a.bin", size=len(content), tag=TAG)

    async def read():
        return b"".join([piece async for piece in answer.stream])

    sent = asyncio.run(read()) if answer.stream else b""
    assert file.closed
    return answer, sent


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-9", 0, 9),
        ("bytes=90-", 90, 99),
        ("bytes=-10", 90, 99),
        ("bytes=99-99", 99, 99),
        ("bytes=50-1000", 50, 99),
        ("bytes=-1000", 0, 99),
        ("bytes= 0-0 ", 0, 0),
    ],
)
def test_a_part_is_given_out(wanted, first, last):
    answer, sent = ask(Range=wanted)

    assert answer.status == 206
    assert sent == CONTENT[first : last + 1]
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/100"
    assert answer.headers["Content-Length"] == str(len(sent))


@pytest.mark.parametrize(
    "wanted",
    ["", "bytes=", "bytes=-", "bytes=a-b", "lines=0-9", "bytes=0-1,5-6", "bytes=9-0", "bytes=-٣",
     "bytes=" + "9" * 400 + "-"],
)  # fmt: skip
def test_what_is_no_single_range_gets_the_whole(wanted):
    answer, sent = ask(Range=wanted)

    assert (answer.status, sent) == (200, CONTENT)
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert "Content-Range" not in answer.headers


@pytest.mark.parametrize("wanted", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_what_lies_beyond_the_end_cannot_be_had(wanted):
    file = io.BytesIO(CONTENT)
    with pytest.raises(RangeNotSatisfiable) as refused:
        ask(file=file, Range=wanted)

    assert refused.value.details == {"size": 100}
    assert file.closed


def test_a_part_of_an_older_file_is_not_mixed_with_this_one():
    assert ask(Range="bytes=0-9", If_Range=TAG)[0].status == 206
    for other in ('"old"', 'W/"abc"', "Fri, 20 Nov 2026 12:00:00 GMT"):
        assert ask(Range="bytes=0-9", If_Range=other)[0].status == 200


def test_what_the_caller_has_is_not_sent_again():
    for held in (TAG, '"x", "abc"', "*", 'W/"abc"'):
        answer, sent = ask(If_None_Match=held)
        assert (answer.status, sent, answer.headers["ETag"]) == (304, b"", TAG)
    assert ask(If_None_Match='"x"')[0].status == 200


def test_a_large_file_is_never_held_whole():
    content = b"x" * (3 * PIECE_BYTES + 5)
    file = Watched(content)

    _, sent = ask(content, file=file)

    assert sent == content and file.largest == PIECE_BYTES


@pytest.mark.parametrize(
    ("path", "media"),
    [
        ("a.html", "application/octet-stream"),
        ("a.xhtml", "application/octet-stream"),
        ("a.svg", "application/octet-stream"),
        ("a.xml", "application/octet-stream"),
        ("a.js", "application/octet-stream"),
        ("a.css", "application/octet-stream"),
        ("a.csv.gz", "application/octet-stream"),
        ("a", "application/octet-stream"),
        ("a.csv", "text/csv"),
        ("a.png", "image/png"),
        ("a.pdf", "application/pdf"),
        ("a.ipynb", "application/x-ipynb+json"),
    ],
)
def test_only_what_cannot_act_is_called_by_its_name(path, media):
    assert media_of(path) == media


@pytest.fixture(scope="module")
def run(gateway):
    gateway.add("leaver-of-parts", LEAVER)
    said = gateway.ask("POST", "/agents/admin/leaver-of-parts/runs", {})
    return gateway.wait(said.json["id"])["id"]


@pytest.mark.gateway
@pytest.mark.kernel
def test_a_download_that_broke_off_is_taken_up_where_it_broke(gateway, run):
    path = f"/runs/{run}/files/big.bin"
    whole = gateway.ask("GET", path)
    first = gateway.ask("GET", path, headers={"Range": "bytes=0-4999999"})
    tag = first.headers["ETag"]
    rest = gateway.ask("GET", path, headers={"Range": "bytes=5000000-", "If-Range": tag})
    beyond = gateway.ask("GET", path, headers={"Range": "bytes=99999999-"})

    assert (whole.status, first.status, rest.status, beyond.status) == (200, 206, 206, 416)
    assert first.body + rest.body == whole.body == bytes(range(256)) * 40_000
    assert beyond.code == "RangeNotSatisfiable"
    assert beyond.headers["Content-Range"] == "bytes */10240000"
    assert gateway.ask("GET", path, headers={"If-None-Match": tag}).status == 304


@pytest.mark.gateway
@pytest.mark.kernel
def test_a_page_that_a_run_left_is_kept_and_not_opened(gateway, run):
    said = gateway.ask("GET", f"/runs/{run}/files/%C3%BCnder%20%3Cb%3E.html")
    empty = gateway.ask("GET", f"/runs/{run}/files/empty.csv")

    assert said.headers["Content-Type"] == "application/octet-stream"
    assert said.headers["Content-Disposition"] == (
        "attachment; filename*=UTF-8''%C3%BCnder%20%3Cb%3E.html"
    )
    assert said.headers["Content-Security-Policy"] == "sandbox"
    assert (empty.status, empty.body, empty.headers["Content-Type"]) == (200, b"", "text/csv")
    assert gateway.ask(
        "GET", f"/runs/{run}/files/empty.csv", headers={"Range": "bytes=0-"}
    ).status == 416  # fmt: skip


@pytest.mark.gateway
@pytest.mark.kernel
def test_many_read_one_file_at_once(gateway, run):
    got = []
    readers = [
        threading.Thread(
            target=lambda: got.append(gateway.ask("GET", f"/runs/{run}/files/big.bin").body)
        )
        for _ in range(8)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(30)

    assert got == [bytes(range(256)) * 40_000] * 8


@pytest.mark.gateway
def test_files_beside_an_agent_are_put_read_listed_and_taken_away(gateway, ada, bob):
    gateway.add("travelling", "1", publish=False, token=ada, visibility="public")
    path = "/agents/ada/travelling/files/data.csv"
    put = gateway.ask("PUT", path, b"a,b\n1,2\n", token=ada)
    gateway.ask("POST", "/agents/ada/travelling/versions?force=true", token=ada)
    read = gateway.ask("GET", path, token=ada)
    part = gateway.ask("GET", path, token=ada, headers={"Range": "bytes=-4"})
    refused = [gateway.ask(method, path, token=bob) for method in ("GET", "DELETE")]
    about = gateway.ask("GET", "/agents/ada/travelling/about", token=ada).json
    gone = gateway.ask("DELETE", path, token=ada)
    again = [gateway.ask(method, path, token=ada) for method in ("GET", "DELETE")]

    assert put.status == 201
    assert (read.body, read.headers["Content-Type"]) == (b"a,b\n1,2\n", "text/csv")
    assert (part.status, part.body) == (206, b"1,2\n")
    assert about["files"] == [{"path": "data.csv", "size": 8}]
    assert [(said.status, said.code) for said in refused] == [(403, "AgentAccessDenied")] * 2
    assert gone.status == 200
    assert [(said.status, said.code) for said in again] == [(404, "NotFound")] * 2
    # The version keeps what it was published with, and shows it to whoever sees the version.
    for token in (ada, bob):
        kept = gateway.ask("GET", f"{path}?version=1.0.0", token=token)
        assert (kept.status, kept.body) == (200, b"a,b\n1,2\n"), kept.body
