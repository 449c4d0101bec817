"""An executed notebook is shown as a page that is nobody's: it can do nothing to whoever opens it."""

import pytest

pytestmark = [pytest.mark.gateway, pytest.mark.kernel]

PAINTER = """\
# %%
from IPython.display import HTML, display
display(HTML("<b onclick='alert(1)'>bold</b><script>alert(1)</script>"))
"""


@pytest.fixture(scope="module")
def run(gateway, ada):
    gateway.add("painter", PAINTER, token=ada, visibility="public")
    said = gateway.ask("POST", "/agents/ada/painter/runs", {}, token=ada)
    return gateway.wait(said.json["id"], token=ada)["id"]


def test_a_page_is_sandboxed_and_may_fetch_nothing(gateway, run, ada):
    for token in ("", ada):
        said = gateway.ask("GET", f"/runs/{run}/notebook.html", token=token)
        policy = said.headers["Content-Security-Policy"].split("; ")

        assert said.status == 200
        assert said.headers["Content-Type"] == "text/html; charset=utf-8"
        assert said.headers["X-Content-Type-Options"] == "nosniff"
        assert said.headers["Referrer-Policy"] == "no-referrer"
        assert "sandbox" in policy and "default-src 'none'" in policy
        assert b"<b" in said.body


def test_only_the_owner_meets_the_html_uncleaned(gateway, run, ada):
    owner = gateway.ask("GET", f"/runs/{run}/notebook.html", token=ada)
    other = gateway.ask("GET", f"/runs/{run}/notebook.html")

    assert b"<b onclick" in owner.body and b"<script>" in owner.body
    assert b"<b onclick" not in other.body and b"<script>" not in other.body


def test_a_caller_of_anothers_agent_meets_it_cleaned(gateway, bob):
    accepted = gateway.ask("POST", "/agents/ada/painter/runs", {}, token=bob).json
    gateway.wait(accepted["id"], token=bob)

    said = gateway.ask("GET", f"/runs/{accepted['id']}/notebook.html", token=bob)

    assert said.status == 200 and b"<b>bold" in said.body and b"<b onclick" not in said.body


def test_a_browser_opens_the_page_with_a_ticket(gateway, run):
    made = gateway.ask("POST", "/tickets", {"path": f"/runs/{run}/notebook.html"}).json

    assert gateway.ask("GET", made["url"], token=None).status == 200
    assert gateway.ask("GET", made["url"], token=None).status == 401
