"""An agent may be a prompt, or another agent with other defaults; either is a notebook then."""

import pytest

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]

PROMPT = "Summarise in {{sentences: int = 3}} sentences:\n\n{{text}}"


def create(gateway, name, config, *, token="", **more):
    body = {"agent_name": name, "agent_config": config, **more}
    return gateway.ask("POST", "/agents", body, token=token)


def test_a_prompt_is_published_called_and_looked_at_like_any_agent(gateway):
    config = {"prompt": PROMPT, "system": "You are brief.", "model": "any"}
    made = create(gateway, "brief", config, description="Makes it short.", publish=True)

    assert (made.status, made.json["current_version"]) == (201, "1.0.0"), made.body
    assert [(p["name"], p["type"], p["required"]) for p in made.json["parameters"]] == [
        ("sentences", "int", False),
        ("text", "str", True),
    ]
    said = gateway.ask("GET", "/agents/admin/brief?text=a%20%7B%7Bb%7D%7D&sentences=1").json
    assert said.endswith("You said: Summarise in 1 sentences:\n\na {{b}}")
    assert gateway.ask("GET", "/agents/admin/brief").code == "InvalidInput"
    cells = gateway.ask("GET", "/agents/admin/brief/notebook").json["cells"]
    assert [cell["id"] for cell in cells] == ["title", "parameters", "prompt", "answer"]
    document = gateway.ask("GET", "/openapi.json?agent=admin/brief").json
    assert "/agents/admin/brief" in document["paths"]


def test_a_prompt_with_a_schema_hands_back_what_the_schema_says(gateway):
    schema = {
        "type": "object",
        "properties": {"mood": {"enum": ["good", "bad"]}},
        "required": ["mood"],
        "additionalProperties": False,
    }
    made = create(gateway, "mood", {"prompt": "{{text}}", "schema": schema}, publish=True)

    assert (made.status, made.json["output_schema"]) == (201, schema), made.body
    assert gateway.ask("GET", "/agents/admin/mood?text=hm").json == {"mood": "good"}


def test_a_preset_is_a_copy_of_one_version_with_its_files(gateway, sources):
    gateway.add("of", sources["greeter"], publish=False)
    gateway.ask("PUT", "/agents/admin/of/files/data.csv", b"1,2")
    gateway.ask("POST", "/agents/admin/of/versions?force=true")
    config = {"agent": "admin/of", "parameters": {"name": "Ada"}}
    made = create(gateway, "as", config, publish=True)

    assert made.status == 201, made.body
    assert made.json["parameters"][0]["default"] == "Ada"
    assert made.json["parameters"][0]["help"] == "whom to greet"
    assert made.json["files"] == [{"path": "data.csv", "size": 3}]
    assert gateway.ask("GET", "/agents/admin/as").json["hello"] == "Ada"

    # What the other becomes changes nothing here.
    notebook = gateway.ask("GET", "/agents/admin/of/notebook")
    changed = notebook.body.replace(b"hello", b"goodbye")
    tag = {"If-Match": notebook.headers["ETag"]}
    assert gateway.ask("PUT", "/agents/admin/of/notebook", changed, headers=tag).status == 200
    gateway.ask("POST", "/agents/admin/of/versions?force=true")
    assert "goodbye" in gateway.ask("GET", "/agents/admin/of").json
    assert gateway.ask("GET", "/agents/admin/as").json["hello"] == "Ada"
    said = gateway.ask("GET", "/agents/admin/as/notebook").json["metadata"]["workbench"]["preset"]
    assert said == {"agent": "admin/of", "version": "1.0.0", "parameters": {"name": "Ada"}}

    new = create(gateway, "as-new", config).json
    assert gateway.ask("GET", f"/agents/admin/{new['agent_name']}?test=true").json["goodbye"]
    old = create(gateway, "as-old", {**config, "version": "1.0.0"})
    assert gateway.ask("GET", "/agents/admin/as-old?test=true").json["hello"] == "Ada", old.body


def test_nobody_presets_what_they_may_not_see(gateway, ada, bob, sources):
    gateway.add("private", sources["greeter"], token=ada)
    of = {"agent": "ada/private", "parameters": {}}
    hidden = create(gateway, "mine", of, token=bob)
    unknown = create(gateway, "mine", {"agent": "ada/unknown"}, token=bob)
    assert (hidden.status, hidden.code) == (unknown.status, unknown.code) == (404, "AgentNotFound")

    gateway.ask("PATCH", "/agents/ada/private", {"visibility": "public"}, token=ada)
    draft = create(gateway, "mine", {**of, "version": "draft"}, token=bob)
    assert (draft.status, draft.code) == (403, "AgentAccessDenied")
    assert create(gateway, "mine", of, token=bob).json["owner"] == "bob"

    gateway.ask("DELETE", "/agents/ada/private", token=ada)
    gone = create(gateway, "hers", of, token=ada)
    assert (gone.status, gone.code) == (409, "IllegalMove")


@pytest.mark.parametrize(
    ("config", "status", "code"),
    [
        ({}, 422, "InvalidAgentConfig"),
        ({"prompt": ""}, 422, "InvalidAgentConfig"),
        ({"prompt": 1}, 422, "InvalidAgentConfig"),
        ({"prompt": None}, 422, "InvalidAgentConfig"),
        ({"prompt": "{{a b}}"}, 422, "InvalidAgentConfig"),
        ({"prompt": "x", "surprise": 1}, 422, "InvalidAgentConfig"),
        ({"prompt": "x", "schema": {"type": "nonsense"}}, 422, "InvalidAgentConfig"),
        ({"prompt": "x", "agent": "admin/greeter"}, 422, "InvalidAgentConfig"),
        ({"agent": 1}, 422, "InvalidAgentConfig"),
        ({"agent": "greeter"}, 404, "AgentNotFound"),
        ({"agent": "../../etc"}, 404, "AgentNotFound"),
        ({"agent": "admin/greeter", "version": "9.9.9"}, 404, "NotFound"),
        ({"agent": "admin/greeter", "version": "nonsense"}, 404, "NotFound"),
        ({"agent": "admin/greeter", "parameters": []}, 422, "InvalidAgentConfig"),
        ({"agent": "admin/greeter", "parameters": {"nonsense": 1}}, 422, "InvalidInput"),
        ({"agent": "admin/greeter", "parameters": {"times": "many"}}, 422, "InvalidInput"),
        ({"agent": "admin/greeter", "parameters": {"test": True}}, 422, "InvalidInput"),
    ],
)
def test_what_is_neither_is_refused_and_nothing_is_kept(gateway, config, status, code):
    said = create(gateway, "never", config)

    assert (said.status, said.code) == (status, code), said.body
    assert gateway.ask("GET", "/agents/admin/never/about").status == 404


def test_a_notebook_and_a_prompt_are_one_too_many(gateway, notebook):
    said = create(gateway, "never", {"prompt": "x"}, notebook=notebook("1"))
    assert (said.status, said.code) == (422, "InvalidAgentConfig")


def test_either_can_be_examined_before(gateway):
    def examined(config):
        body = {"agent_name": "maybe", "agent_config": config, "publish": True}
        return gateway.ask("POST", "/agents/validate", body)

    good = examined({"prompt": PROMPT}).json
    assert (good["valid"], [p["name"] for p in good["parameters"]]) == (True, ["sentences", "text"])
    assert examined({"agent": "admin/greeter", "parameters": {"times": 2}}).json["valid"]
    bad = examined({"prompt": "{{a b}}"}).json
    assert (bad["valid"], bad["problems"][0]["details"]["field"]) == (False, "agent_config.prompt")
    assert examined({"agent": "admin/unknown"}).code == "AgentNotFound"
