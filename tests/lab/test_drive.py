"""The workbench as a folder of JupyterLab: what lies there, and what saving does."""

import base64
import json
import platform
from dataclasses import replace

import pytest
from tornado.web import HTTPError

from tests.conftest import as_notebook
from tests.lab.conftest import GREETER
from workbench.client.finding import access
from workbench.client.requests import Request
from workbench.errors import PreconditionFailed
from workbench.lab.documents import complete

pytestmark = pytest.mark.gateway


def refused(do, *args, **kwargs):
    with pytest.raises(HTTPError) as caught:
        do(*args, **kwargs)
    return caught.value


def notebook(*cells):
    return {"type": "notebook", "format": "json", "content": as_notebook(*cells)}


def sources(model):
    return [cell["source"] for cell in model["content"]["cells"]]


def test_the_drive_lies_among_ordinary_files(drive):
    (drive.path / "mine.txt").write_text("ordinary")

    assert {"agents", "mine.txt"} <= drive.labels("")
    assert drive.get("mine.txt")["content"] == "ordinary"
    assert {"admin", "workbench.ipynb"} <= drive.labels("agents")
    assert drive.get("agents/workbench.ipynb")["writable"] is False


def test_what_belongs_to_an_agent_lies_in_its_folder(drive, wb, named):
    agent = wb.agents.create(named, GREETER)
    agent.publish()
    agent.run(name="Bob")

    assert {f"{named}.ipynb", named} <= drive.labels("agents/admin")
    folder = f"agents/admin/{named}"
    version = f"{agent.current_version}.ipynb"
    assert drive.labels(folder) == {version, "files", "revisions", "runs", "tests"}
    (run,) = drive.get(f"{folder}/runs")["content"]
    assert "hello Bob" in json.dumps(drive.get(run["path"])["content"])
    assert len(drive.labels(f"{folder}/tests")) == 1
    assert not run["writable"]
    # Without a hash JupyterLab opens nothing.
    for path in (run["path"], f"{folder}/{version}", f"{folder}.ipynb", "agents/workbench.ipynb"):
        known = drive.get(path, content=False, require_hash=True)["hash"]
        assert known == drive.get(path, require_hash=True)["hash"]
        assert known


def test_saving_saves_the_draft(drive, wb, named):
    agent = wb.agents.create(named, GREETER)
    path = f"agents/admin/{named}.ipynb"
    model = drive.get(path, require_hash=True)
    model["content"]["cells"][-1]["source"] = "changed = True"

    saved = drive.save(model, path)

    assert saved["hash"] != model["hash"]
    assert saved["hash"] == drive.get(path, content=False, require_hash=True)["hash"]
    assert agent.notebook()["cells"][-1]["source"] == "changed = True"
    assert "trusted" not in json.dumps(agent.notebook())


def test_saving_what_was_only_looked_at_makes_no_new_draft(drive, wb, named):
    agent = wb.agents.create(named, GREETER)
    agent.publish(force=True)
    path = f"agents/admin/{named}.ipynb"
    model = drive.get(path)
    # A kernel has said what it speaks, and cells have been run.
    assert model["content"]["metadata"]["language_info"]["version"]
    model["content"]["metadata"]["language_info"]["version"] = "3.99.0"
    model["content"]["cells"][-1]["execution_count"] = 3

    drive.save(model, path)

    agent.refresh()
    assert not agent.about["draft_differs"]
    assert drive.list_checkpoints(path) == []


def test_who_saves_over_somebody_else_is_told_and_nothing_is_lost(desk, wb, named):
    wb.agents.create(named, GREETER)
    path = f"agents/admin/{named}.ipynb"
    one, other = desk(), desk()
    mine, theirs = one.get(path), other.get(path)
    theirs["content"]["cells"][-1]["source"] = "theirs"
    other.save(theirs, path)

    mine["content"]["cells"][-1]["source"] = "mine"
    error = refused(one.save, mine, path)

    assert error.status_code == 412
    assert "Save again" in error.log_message
    assert sources(other.get(path))[-1] == "theirs"
    # Having looked, as JupyterLab does when it asks, one may choose one's own.
    one.get(path, content=False, require_hash=True)
    one.save(mine, path)
    assert sources(other.get(path))[-1] == "mine"


@pytest.mark.parametrize("place", ["version", "run", "revision"])
def test_what_has_happened_never_changes(drive, wb, named, place):
    agent = wb.agents.create(named, GREETER)
    agent.publish(force=True)
    agent.run()
    agent.save(as_notebook("1"))
    folder = f"agents/admin/{named}"
    shelf = {"version": folder, "run": f"{folder}/runs", "revision": f"{folder}/revisions"}[place]
    model = next(m for m in drive.get(shelf)["content"] if m["type"] == "notebook")

    opened = drive.get(model["path"])
    assert opened["writable"] is False
    assert refused(drive.save, opened, model["path"]).status_code == 403
    assert refused(drive.delete, model["path"]).status_code == 403
    assert refused(drive.rename, model["path"], f"{folder}-2.ipynb").status_code == 403


def test_a_new_notebook_is_an_agent_that_runs(drive, wb, named):
    made = drive.new({"type": "notebook"}, f"agents/admin/{named}.ipynb")

    assert made["path"] == f"agents/admin/{named}.ipynb"
    assert made["hash"]
    assert wb.agents.get(f"admin/{named}").test() is not None


def test_untitled_notebooks_get_names_that_agents_can_have(drive):
    first = drive.new_untitled("agents/admin", type="notebook")
    second = drive.new_untitled("agents", type="notebook")

    assert first["path"] == "agents/admin/untitled.ipynb"
    assert second["path"] == "agents/admin/untitled-1.ipynb"


def test_an_upload_becomes_an_agent_and_never_takes_anothers_place(drive, wb, named):
    text = json.dumps(as_notebook("a = 1")).encode()
    model = {"type": "file", "format": "base64", "content": base64.b64encode(text).decode()}
    path = f"agents/admin/{named.upper()} Report.ipynb"

    first = drive.save(dict(model), path)
    second = drive.save(dict(model), path)

    assert first["path"] == f"agents/admin/{named}-report.ipynb"
    assert second["path"] == f"agents/admin/{named}-report-1.ipynb"
    assert wb.agents.get(f"admin/{named}-report").notebook()["cells"][0]["source"] == "a = 1"


def test_an_upload_in_pieces_arrives_whole(drive, wb, named):
    wb.agents.create(named, GREETER)
    path = f"agents/admin/{named}/files/data.csv"
    pieces = [b"a,b\n", b"1,2\n", b"3,4\n"]
    for number, piece in zip((1, 2, -1), pieces, strict=True):
        encoded = base64.b64encode(piece).decode()
        model = {"type": "file", "format": "base64", "content": encoded, "chunk": number}
        drive.save(model, path)

    assert drive.get(path)["content"] == "a,b\n1,2\n3,4\n"
    error = refused(drive.save, {"type": "file", "content": "x", "chunk": 2}, path)
    assert error.status_code == 400
    drive.delete(path)
    assert drive.labels(f"agents/admin/{named}/files") == set()


def test_what_is_no_notebook_is_refused(drive, named):
    model = {"type": "file", "format": "text", "content": "a,b"}

    assert refused(drive.save, model, f"agents/admin/{named}.csv").status_code == 403
    assert refused(drive.save, model, f"agents/admin/{named}.ipynb").status_code == 400
    assert refused(drive.save, {"type": "directory"}, "agents/admin/x").status_code == 403


def test_copies_go_in_and_out(drive, wb, named):
    agent = wb.agents.create(named, GREETER)
    agent.publish(force=True)
    path = f"agents/admin/{named}.ipynb"

    inside = drive.copy(path)
    out = drive.copy(path, "")
    back = drive.copy(out["path"], "agents/admin")

    assert inside["path"] == f"agents/admin/{named}-copy1.ipynb"
    assert (drive.path / f"{named}.ipynb").exists()
    assert back["path"] == f"agents/admin/{named}-copy2.ipynb"
    assert wb.agents.get(f"admin/{named}-copy2").parameters[0]["name"] == "name"


def test_a_draft_is_renamed_and_saving_goes_on(drive, wb, named):
    wb.agents.create(named, GREETER)
    model = drive.get(f"agents/admin/{named}.ipynb")

    renamed = drive.update(
        {"path": f"agents/admin/{named} Two.ipynb"}, f"agents/admin/{named}.ipynb"
    )

    assert renamed["path"] == f"agents/admin/{named}-two.ipynb"
    drive.save(model, renamed["path"])
    assert f"{named}.ipynb" not in drive.labels("agents/admin")
    error = refused(drive.rename, renamed["path"], "elsewhere.ipynb")
    assert "Copy it instead" in error.log_message


def test_what_was_archived_elsewhere_is_not_made_again_by_saving(drive, wb, named):
    agent = wb.agents.create(named, GREETER)
    path = f"agents/admin/{named}.ipynb"
    model = drive.get(path)
    agent.archive()

    assert not drive.file_exists(path)
    error = refused(drive.save, model, path)
    assert error.status_code == 409
    assert "Save Notebook As" in error.log_message


def test_deleting_archives(drive, wb, named):
    agent = wb.agents.create(named, GREETER)
    agent.publish(force=True)
    agent.run()

    drive.delete(f"agents/admin/{named}.ipynb")

    assert f"{named}.ipynb" not in drive.labels("agents/admin")
    assert list(agent.runs())


def test_checkpoints_are_the_earlier_drafts(drive, wb, named):
    agent = wb.agents.create(named, GREETER)
    path = f"agents/admin/{named}.ipynb"
    assert drive.list_checkpoints(path) == []
    assert drive.create_checkpoint(path)["id"]
    for number in (1, 2):
        model = drive.get(path)
        model["content"]["cells"][-1]["source"] = f"number = {number}"
        drive.save(model, path)

    oldest, newest = drive.list_checkpoints(path)
    assert drive.create_checkpoint(path) == newest
    drive.restore_checkpoint(oldest["id"], path)

    assert "hello" in agent.notebook()["cells"][-1]["source"]
    # What stood there before can be brought back as well, and saving goes on.
    assert len(drive.list_checkpoints(path)) == 3
    drive.save(drive.get(path), path)


def test_kernels_start_among_the_files_of_their_agent(drive, wb, named):
    agent = wb.agents.create(named, GREETER)
    agent.attach("deep/data.csv", b"a,b\n")
    path = f"agents/admin/{named}.ipynb"

    assert drive.get_kernel_path(path) == path

    folder = drive.scratch_of(drive.place(path))
    assert (folder / "deep" / "data.csv").read_bytes() == b"a,b\n"
    assert drive.get_kernel_path("ordinary.ipynb") == ""


def test_others_see_what_is_published_and_change_nothing(desk, serving, wb, named):
    agent = wb.agents.create(named, GREETER)
    agent.publish(force=True)
    bob = replace(serving.where(), token=wb.carry_out(_token("bob")))
    theirs = desk(lambda: bob)

    assert "bob" in theirs.labels("agents")
    assert not theirs.file_exists(f"agents/admin/{named}.ipynb")
    wb.carry_out(_public(named))
    agent.save(as_notebook("secret = 1"))

    model = theirs.get(f"agents/admin/{named}.ipynb")
    assert not model["writable"]
    assert "secret" not in json.dumps(model["content"])
    assert theirs.labels(f"agents/admin/{named}") >= {"runs"}
    assert "revisions" not in theirs.labels(f"agents/admin/{named}")
    assert refused(theirs.save, model, f"agents/admin/{named}.ipynb").status_code == 403
    assert refused(theirs.save, model, f"agents/admin/{named}x.ipynb").status_code == 403


def _token(user):
    made = yield Request(method="POST", path="/tokens", body={"name": "t", "user": user})
    return made.json()["token"]


def _public(name):
    body = {"visibility": "public"}
    yield Request(method="PATCH", path=f"/agents/admin/{name}", body=body)


@pytest.mark.parametrize(
    "path",
    ["agents/../..", "agents/a b/c.ipynb", "agents/admin/x/runs/../y.ipynb", "agents/x/y/z/w"],
)
def test_what_is_no_place_is_not_there(drive, path):
    assert not drive.file_exists(path)
    assert refused(drive.get, path).status_code == 404


def test_a_gateway_that_is_away_is_said_to_be_and_found_again(desk, serving, wb, named):
    wb.agents.create(named, GREETER)
    path = f"agents/admin/{named}.ipynb"
    drive = desk(_finding(serving))
    model = drive.get(path)
    serving.stop()

    error = refused(drive.save, model, path)
    assert error.status_code == 503
    assert "does not answer" in error.log_message

    serving.start()
    model["content"]["cells"][-1]["source"] = "after = 1"
    drive.save(model, path)
    assert sources(drive.get(path))[-1] == "after = 1"


def _finding(serving):
    return lambda: access(None, None, environment={"WORKBENCH_HOME": str(serving.home)})


def test_the_error_that_races_are_told_by_is_the_gateways(wb, named):
    # The drive's 412 stands and falls with this.
    agent, same = wb.agents.create(named, GREETER), wb.agents.get(f"admin/{named}")
    agent.save(as_notebook("1"))

    with pytest.raises(PreconditionFailed):
        same.save(as_notebook("2"))


@pytest.mark.parametrize("metadata", [{}, {"language_info": {"name": "python"}}])
def test_a_notebook_says_all_that_jupyterlab_would_add_to_it(drive, wb, named, metadata):
    wb.agents.create(named, {**as_notebook("1"), "metadata": metadata})

    shown = drive.get(f"agents/admin/{named}.ipynb")["content"]["metadata"]

    assert shown["kernelspec"]["name"] == "python3"
    assert shown["language_info"]["version"] == platform.python_version()
    saved = {"type": "notebook", "content": drive.get(f"agents/admin/{named}.ipynb")["content"]}
    drive.save(saved, f"agents/admin/{named}.ipynb")
    assert "kernelspec" not in wb.agents.get(f"admin/{named}").notebook()["metadata"]


def test_a_notebook_of_another_language_is_left_as_it_is():
    metadata = {"language_info": {"name": "R"}}

    assert complete(metadata) is False
    assert metadata == {"language_info": {"name": "R"}}
