"""Even its owner's own HTML can do nothing to whoever opens the page of a run."""

import shutil

import pytest

pytestmark = [pytest.mark.gateway, pytest.mark.browser, pytest.mark.kernel]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

HOSTILE = """\
# %%
from IPython.display import HTML, display
display(HTML('''
<b id="seen">seen</b>
<script>document.title = "taken"; fetch("https://elsewhere.example/a")</script>
<img src="x" onerror="document.title = 'taken'">
<img src="https://elsewhere.example/b.png">
<meta http-equiv="refresh" content="0;url=https://elsewhere.example/c">
<style>body { background: url(https://elsewhere.example/d.png) }</style>
<iframe src="https://elsewhere.example/e"></iframe>
<form action="https://elsewhere.example/f"><button id="send">send</button></form>
<a id="link" href="javascript:document.title='taken'">link</a>
'''))
"""


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def test_nothing_runs_and_nothing_is_fetched_or_sent(gateway, browser):
    gateway.add("hostile", HOSTILE)
    accepted = gateway.ask("POST", "/agents/admin/hostile/runs", {}).json
    run = gateway.wait(accepted["id"])["id"]
    made = gateway.ask("POST", "/tickets", {"path": f"/runs/{run}/notebook.html"}).json
    page = browser.new_page()
    failed, got = [], []
    page.on("requestfailed", lambda request: failed.append((request.url, request.failure)))
    page.on("response", lambda response: got.append(response.url))

    page.goto(gateway.url + made["url"])
    page.wait_for_selector("#seen")
    title = page.title()
    page.click("#send")
    page.click("#link")
    page.wait_for_load_state("networkidle")

    assert page.title() == title == "admin/hostile"
    assert page.url == gateway.url + made["url"]
    assert [url for url in got if not url.startswith((gateway.url, "data:"))] == []
    # Those that a policy forbids are told of, too, though they never leave the browser.
    assert {why for _, why in failed} <= {"csp"}
    page.close()
