"""The toolbox reaches what it says and nothing else, and says what it would do in a test run."""

import http.server
import json
import os
import sys
import threading
import time

import pandas
import pytest

from workbench import agent
from workbench.agent import skills, speech
from workbench.agent.toolbox import commands, folder, internet, tables
from workbench.agent.tools import MOST_LETTERS, used


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    place = tmp_path / "work"
    place.mkdir()
    monkeypatch.setattr(speech, "_situation", speech.Situation(folder=place))
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def in_a_test_run(here):
    speech.situation().test = True


def use(tools, name, **arguments):
    """What a model is told, and whether it could be done."""
    [found] = [each for each in tools if each.name == name]
    call = {"id": "c1", "function": {"name": name, "arguments": json.dumps(arguments)}}
    told = used(found, call)["content"]
    try:
        return json.loads(told)
    except ValueError:
        return told


def test_files_are_written_listed_and_read_back_piece_by_piece(here):
    tools = agent.toolbox.files()
    (here / "data.csv").write_text("x\n1\n")
    (here / ".hidden").write_text("no")
    long = "häuser " * 10_000

    assert use(tools, "write_file", path="notes/long.txt", text=long).endswith("80,000 bytes")
    listed = use(tools, "list_files")["files"]
    assert [each["path"] for each in listed] == ["data.csv", "notes/long.txt"]
    assert use(tools, "list_files", folder="notes")["files"][0]["bytes"] == 80_000
    read, offset = "", 0
    while offset is not None:
        piece = use(tools, "read_file", path="notes/long.txt", offset=offset)
        read, offset = read + piece["text"], piece["next_offset"]
    assert read.replace("\N{REPLACEMENT CHARACTER}", "").count("user") == 10_000


@pytest.mark.parametrize("path", ["../outside.txt", "/etc/passwd", "link", "link/x", "a\0b"])
def test_nothing_outside_of_the_folder_is_read_listed_or_written(here, path):
    outside = here.parent / "outside.txt"
    outside.write_text("secret")
    (here / "link").symlink_to(here.parent)
    tools = agent.toolbox.files()

    for told in (
        use(tools, "read_file", path=path),
        use(tools, "list_files", folder=path),
        use(tools, "write_file", path=path, text="mine"),
    ):
        assert told.startswith(("PermissionError", "ValueError"))
    assert outside.read_text() == "secret"
    assert use(tools, "list_files")["files"] == []


def test_what_is_no_file_or_too_long_is_refused(here):
    os.mkfifo(here / "pipe")
    tools = agent.toolbox.files()

    assert "no file" in use(tools, "read_file", path="pipe")
    assert "no file" in use(tools, "read_file", path="missing")
    assert "may get" in use(tools, "write_file", path="x", text="x" * (folder.MOST_WRITTEN + 1))


def test_sql_asks_frames_and_files_of_the_folder(here):
    cars = pandas.DataFrame(
        {
            "name": ["pinto", "vw"],
            "built": pandas.to_datetime(["1971-01-01", "1982-01-01"]),
            "miles": [25.0, None],
        }
    )
    (here / "prices.csv").write_text("name,price\npinto,1.50\n")
    [sql] = agent.toolbox.sql(cars=cars)

    assert "cars (name " in sql.description
    found = use([sql], "sql", query="SELECT * FROM cars JOIN 'prices.csv' USING (name)")
    assert found == {
        "rows": [{"name": "pinto", "built": "1971-01-01T00:00:00", "miles": 25.0, "price": 1.5}],
        "more": False,
    }
    assert use([sql], "sql", query="SELECT 1.5::DECIMAL(4,1) AS a")["rows"] == [{"a": "1.5"}]
    many = use([sql], "sql", query="FROM range(1000)")
    assert (len(many["rows"]), many["more"]) == (tables.MOST_ROWS, True)
    assert [row["name"] for row in use([sql], "sql", query="SHOW TABLES")["rows"]] == ["cars"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM '../outside.csv'",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM 'link.csv'",
        "SELECT * FROM 'https://example.org/a.csv'",
        "SELECT * FROM hidden",
        "COPY (SELECT 1) TO 'new.csv'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO 'new.csv'",
        "CREATE TABLE t (a INT)",
        "INSTALL httpfs",
        "LOAD httpfs",
        "ATTACH 'x.db'",
        "SET enable_external_access = true",
        "RESET lock_configuration",
        "SELECT 1; SELECT 2",
        "",
        "SELEC",
    ],
)
def test_sql_reads_and_does_nothing_else(here, query):
    outside = here.parent / "outside.csv"
    outside.write_text("a\nsecret\n")
    (here / "link.csv").symlink_to(outside)
    hidden = pandas.DataFrame({"a": ["secret"]})

    told = use(agent.toolbox.sql(), "sql", query=query)

    assert isinstance(told, str) and "secret" not in told.replace(query, "")
    assert sorted(path.name for path in here.iterdir()) == ["link.csv"]
    assert len(hidden) == 1


def test_sql_that_takes_too_long_is_stopped_and_the_next_is_answered():
    tools = tables.asking({}, seconds=0.2)

    endless = (
        "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range < b.range"
    )
    assert "nterrupt" in use(tools, "sql", query=endless)
    assert use(tools, "sql", query="SELECT 1 AS a")["rows"] == [{"a": 1}]


def test_without_duckdb_the_message_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(ModuleNotFoundError, match="needs the package duckdb"):
        agent.toolbox.sql()


@pytest.fixture
def site():
    """A site that answers what it was asked, or misbehaves."""

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/away":
                self.send_response(302)
                self.send_header("Location", "http://169.254.169.254/secret")
                self.end_headers()
                return
            self.send_response(404 if self.path == "/missing" else 200)
            self.end_headers()
            size = int(self.headers.get("Content-Length", 0))
            asked.append((self.command, self.path, self.rfile.read(size).decode()))
            body = b"x" * 3_000_000 if self.path == "/long" else b"hello"
            try:
                self.wfile.write(body)
            except ConnectionError:
                return  # it has read enough

        do_POST = do_DELETE = do_GET

        def log_message(self, *told):
            pass

    asked = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_the_web_is_read_and_written_to_within_bounds(site, no_proxy):
    url, asked = site
    tools = agent.toolbox.web("127.0.0.1")

    got = use(tools, "http_get", url=f"{url}/a")
    assert (got["status"], got["text"], got["cut"]) == (200, "hello", False)
    assert use(tools, "http_get", url=f"{url}/missing")["status"] == 404
    long = use(tools, "http_get", url=f"{url}/long")
    assert (len(long["text"]), long["cut"]) == (internet.MOST_RECEIVED, True)
    assert internet.MOST_RECEIVED < MOST_LETTERS
    sent = use(tools, "http_send", url=f"{url}/b", body="{}", method="DELETE")
    assert sent["status"] == 200
    assert asked[-1] == ("DELETE", "/b", "{}")
    assert use(tools, "http_get", url=f"{url}/away")["status"] == 302
    huge = "x" * (internet.MOST_SENT + 1)
    assert "may have" in use(tools, "http_send", url=url, body=huge)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a.example/x", "example.org", ""])
def test_only_the_web_is_the_web(url, no_proxy):
    assert use(agent.toolbox.web(), "http_get", url=url).startswith("PermissionError")


def test_where_nothing_else_keeps_it_the_web_is_public_or_named(site, no_proxy):
    url, asked = site
    port = url.rpartition(":")[2]

    assert "no public host" in use(agent.toolbox.web(), "http_get", url=url)
    assert "not one of" in use(agent.toolbox.web("a.example"), "http_get", url=url)
    assert asked == []
    named = agent.toolbox.web(f"127.0.0.1:{port}")
    assert use(named, "http_get", url=url)["status"] == 200


def test_a_test_run_goes_nowhere_and_says_where_it_would_have_gone(site, no_proxy, in_a_test_run):
    url, asked = site
    tools = agent.toolbox.web("127.0.0.1")

    assert f"GET {url}/a" in str(use(tools, "http_get", url=f"{url}/a"))
    assert f"POST {url}/b" in str(use(tools, "http_send", url=f"{url}/b", body="x"))
    assert asked == []
    assert all(each.simulated for each in tools)


def test_a_shell_is_off_in_a_run_that_was_not_given_one(monkeypatch):
    monkeypatch.delenv(commands.ALLOWED, raising=False)
    speech.situation().run_id = "r1"
    with pytest.raises(PermissionError, match=r"metadata\.workbench\.shell"):
        agent.toolbox.shell()

    monkeypatch.setenv(commands.ALLOWED, "1")
    assert [each.name for each in agent.toolbox.shell()] == ["shell"]


def test_a_shell_works_in_the_folder_without_the_keys_and_leaves_nothing(here, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "wbr_secret")
    tools = agent.toolbox.shell()

    done = use(tools, "shell", command="echo $OPENAI_API_KEY.; pwd; sleep 600 & echo $!; exit 3")
    assert done["code"] == 3
    [key, place, child] = done["output"].split()
    assert (key, place) == (".", str(here))
    deadline = time.monotonic() + 30
    while os.path.exists(f"/proc/{child}") and time.monotonic() < deadline:
        with open(f"/proc/{child}/stat") as stat:
            if stat.read().rpartition(")")[2].split()[0] == "Z":
                break
    else:
        assert not os.path.exists(f"/proc/{child}")
    long = use(tools, "shell", command="yes | head -c 1000000")
    assert len(long["output"]) == MOST_LETTERS // 2
    assert long["left_out"] == 1_000_000 - MOST_LETTERS // 2

    brief = agent.toolbox.shell(seconds=0.2)
    assert "took longer" in use(brief, "shell", command="sleep 600")
    speech.situation().test = True
    assert use(tools, "shell", command="touch mine") == {"simulated": True}
    assert not (here / "mine").exists()


def test_the_toolbox_is_known_by_names():
    assert [tool.name for tool in agent.toolbox.named("sql")] == ["sql"]
    with pytest.raises(ValueError, match="files, shell, sql, web"):
        agent.toolbox.named("mail")


def test_outside_a_run_nobody_is_called(monkeypatch):
    monkeypatch.delenv("WORKBENCH_RUN_URL", raising=False)
    with pytest.raises(agent.CallFailed, match="Only a run") as refused:
        agent.call("ada/summary", text="x")
    assert refused.value.code == "no_run"
    with pytest.raises(agent.CallFailed):
        agent.toolbox.agents("ada/summary")


SKILL = """\
---
name: Reports
description: "Writes reports."
tools: files
---
Write short reports.
"""

TOOLS = """\
from __future__ import annotations
from dataclasses import dataclass
from workbench import agent

@dataclass
class Line:
    text: str

@agent.tool
def line(line: Line) -> str:
    "Make a line."
    return f"- {line.text}"

def helper():
    return None
"""


def test_skills_and_personas_are_files_beside_the_notebook(here):
    (here / "skills/report").mkdir(parents=True)
    (here / "skills/report/SKILL.md").write_text(SKILL)
    (here / "skills/report/tools.py").write_text(TOOLS)
    (here / "personas").mkdir()
    (here / "personas/brief.md").write_text("You are brief.\n")

    report = skills.skill("report")

    assert report.told == "# Reports\n\nWrite short reports."
    assert report.description == "Writes reports."
    assert report.tools[0] == "files"
    assert use(report.tools[1:], "line", line={"text": "a"}) == "- a"
    assert skills.persona("brief") == "You are brief."


@pytest.mark.parametrize("name", ["../x", "", "A", "a/b"])
def test_a_name_is_no_path(name):
    for find in (skills.skill, skills.persona):
        with pytest.raises(ValueError, match="names no skill or persona"):
            find(name)


def test_what_is_missing_is_named():
    with pytest.raises(FileNotFoundError, match=r"skills/report/SKILL\.md"):
        skills.skill("report")
    with pytest.raises(FileNotFoundError, match=r"personas/brief\.md"):
        agent.chat("Hello", persona="brief")
