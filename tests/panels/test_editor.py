"""What an agent may take and the cases it is tested by, edited by an author who makes mistakes."""

import json

import pytest

from tests.panels.conftest import at_desk, make

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]


def cases(editor):
    return {case.name: case for case in editor.cases.state.cases}


@at_desk
async def test_limits_network_and_retries_are_saved_within_what_is_allowed(desk):
    await make(desk, "limited")
    editor = desk.agents.editor
    editor.show("limits")

    editor.fill("memory_bytes", "64 GiB")
    assert "at most 4 GiB" in editor._fields.shown["problems"]["memory_bytes"]
    assert [one["id"] for one in editor._tabs.shown["tabs"] if one["wrong"]] == ["limits"]
    editor.save()
    assert (editor.state.section, editor.state.doing) == ("limits", "")
    editor.fill("memory_bytes", "1.5 GiB")
    editor.fill("timeout_seconds", "12")
    editor.fill("network", "hosts")
    editor.fill("hosts", "api.example.org\nfiles.example.org:8443")
    editor.fill("retry", "2")
    editor.fill("retry_on", "kernel_died")
    editor.save()
    await desk.done()

    agent = desk.agents.state.agent
    assert editor.is_saved(), editor.state
    assert agent["limits"] == {"memory_bytes": 3 * 2**29}
    assert agent["timeout_seconds"] == 12
    assert agent["network"] == ["api.example.org", "files.example.org:8443"]
    assert (agent["retry"]["max"], agent["retry"]["on"]) == (2, ["kernel_died"])


@at_desk
async def test_what_only_the_gateway_can_tell_is_told_while_it_is_typed(desk):
    await make(desk, "looked-at")
    editor = desk.agents.editor

    editor.fill("input_schema", '{"type": "object", "properties": {"nobody": {}}}')
    await desk.done()
    assert "does not declare" in editor.state.found["input_schema"]
    editor.fill("input_schema", '{"type": "object", "properties": {"name": {"minLength": 2}}}')
    await desk.done()

    assert editor.state.found == {}
    assert not editor.is_saved()


@at_desk
async def test_a_refused_name_loses_nothing_that_was_written(desk):
    await make(desk, "refused")
    editor = desk.agents.editor

    editor.fill("name", "slow")
    editor.fill("tags", "one, two")
    editor.save()
    await desk.done()
    assert editor.state.problem
    assert editor.state.texts["name"] == "slow"
    editor.fill("name", "taken-not")
    editor.save()
    await desk.done()

    assert desk.agents.state.agent["agent_name"] == "taken-not"
    assert desk.agents.state.agent["tags"] == ["one", "two"]
    assert editor.is_saved()


@at_desk
async def test_what_was_not_saved_is_there_again_after_looking_elsewhere(desk):
    agents = desk.agents
    mine = await make(desk, "left")
    agents.editor.fill("description", "Half a thou")
    agents.editor.cases.add()
    other = next(a for a in agents.state.agents if a["agent_name"] == "slow")

    agents.look_at(other)
    await desk.done()
    assert agents.editor.is_saved()
    agents.look_at(mine)
    await desk.done()

    assert agents.editor.state.texts["description"] == "Half a thou"
    assert list(cases(agents.editor)) == ["case 1"]
    agents.editor.leave()
    assert agents.editor.is_saved()
    assert cases(agents.editor) == {}


@at_desk
async def test_what_somebody_else_saved_meanwhile_stays(desk):
    mine = await make(desk, "shared")
    editor = desk.agents.editor
    editor.fill("timeout_seconds", "20")
    noun = desk._link.wb.agent(dict(mine))
    notebook = await noun.notebook("draft")
    notebook["cells"][-1]["source"] = "theirs = 1"
    await noun.save(notebook)

    editor.save()
    await desk.done()

    notebook = await noun.notebook("draft")
    assert notebook["cells"][-1]["source"] == "theirs = 1"
    assert notebook["metadata"]["workbench"]["timeout_seconds"] == 20
    assert editor.is_saved(), editor.state.problem


@at_desk
async def test_cases_are_written_tried_and_keep_a_draft_from_being_published(desk):
    await make(desk, "cased")
    editor, versions = desk.agents.editor, desk.agents.versions
    panel = editor.cases
    panel.add()
    panel.fill("name", "Grace")
    panel.fill("case name", "grace")
    panel.fill("case expect", '{"greeting": "Good day"}')
    panel.run()
    await desk.done()
    assert cases(editor)["grace"].outcome.word == "differs"
    assert cases(editor)["grace"].outcome.result == {"greeting": "Hello, Grace!"}

    editor.save()
    await desk.done()
    assert editor.state.own["cases"] == [
        {"name": "grace", "parameters": {"name": "Grace"}, "expect": {"greeting": "Good day"}}
    ]
    versions.ask("publish")
    versions.publish()
    await desk.done()
    assert "not every case passed" in versions.state.problem
    assert [row["case"] for row in versions._failed_cases.shown["rows"]] == ["grace"]
    assert versions.state.asking == "publish"

    panel.run()
    await desk.done()
    panel.expect()
    assert json.loads(cases(editor)["grace"].expect) == {"greeting": "Hello, Grace!"}
    editor.save()
    await desk.done()
    versions.ask("publish")
    versions.fill("version", "2.0")
    assert "MAJOR.MINOR.PATCH" in versions.state.wrong["version"]
    versions.fill("version", "2.0.0")
    versions.fill("changelog", "Greets Grace")
    versions.publish()
    await desk.done()

    assert (versions.state.problem, versions.state.asking) == ("", "")
    assert desk.agents.state.agent["current_version"] == "2.0.0"
    (version,) = versions.state.versions
    assert version["changelog"] == "Greets Grace"


@at_desk
async def test_a_case_that_fails_says_why_and_one_half_written_is_kept(desk):
    await make(desk, "halved", "Table")
    panel = desk.agents.editor.cases
    panel.add()
    panel.fill("digits", "many")
    panel.run()
    assert "another look" in panel.state.problem
    desk.agents.editor.save()
    assert desk.agents.editor.state.section == "cases"
    panel.fill("digits", "1")
    panel.fill("rows", "[]")
    panel.run()
    await desk.done()

    outcome = panel.state.case.outcome
    assert outcome.word == "failed"
    assert "StatisticsError" in outcome.said
    panel.remove()
    assert panel.state.cases == ()


@at_desk
async def test_a_number_that_is_taken_is_told_at_its_field(desk):
    await make(desk, "numbered")
    versions = desk.agents.versions
    versions.publish()
    await desk.done()
    desk.agents.editor.fill("tags", "new")
    desk.agents.editor.save()
    await desk.done()

    versions.ask("publish")
    versions.fill("version", "1.0.0")
    versions.publish()
    await desk.done()

    assert "has a version 1.0.0" in versions.state.wrong["version"]
    assert versions.state.texts["version"] == "1.0.0"
    versions.choose("1.0.0")
    versions.ask("deprecate")
    versions.fill("note", "Use nothing")
    versions.deprecate()
    await desk.done()
    assert versions.state.versions[0]["deprecation_note"] == "Use nothing"
    assert "deprecated" in versions.state.done
