"""A person with a token finds an agent in /docs, runs it and sees what it says."""

import shutil

import pytest

pytestmark = [pytest.mark.gateway, pytest.mark.browser, pytest.mark.kernel]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, gateway):
    """A page of a browser that may speak to the gateway only, and has nothing to complain of."""
    context = browser.new_context()
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=gateway.url)
    page = context.new_page()
    elsewhere, complaints = [], []

    def gate(route):
        if route.request.url.startswith(gateway.url):
            route.continue_()
        else:
            elsewhere.append(route.request.url)
            route.abort()

    page.route(lambda url: not url.startswith(("data:", "blob:")), gate)
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.complaints = complaints
    page.set_default_timeout(30_000)
    yield page
    context.close()
    assert elsewhere == []
    assert complaints == []


def come_in(page, gateway):
    page.goto(f"{gateway.url}/docs")
    page.fill("#token", gateway.token)
    page.click("#door button")
    page.locator("[data-operation=admin_greeter]").wait_for()


def opened(page, operation):
    route = page.locator(f"[data-operation={operation}]")
    route.locator("summary").first.click()
    return route


def test_an_agent_is_run_from_the_form_that_its_parameters_make(page, gateway):
    come_in(page, gateway)
    agent = opened(page, "admin_greeter")
    agent.locator("[name=name]").fill("Ada")
    agent.locator("[name=times]").fill("2")
    assert """--data-binary '{"name":"Ada","times":2}'""" in agent.locator("pre").first.inner_text()

    agent.get_by_role("button", name="Run").click()
    agent.locator(".status.good").wait_for()

    assert agent.locator(".status").inner_text() == "200 OK"
    agent.locator("pre.body", has_text='"hello": "Ada Ada"').wait_for()
    assert "x-run-id" in agent.locator(".answer details pre").text_content()


def test_the_token_stays_in_the_tab_and_out_of_what_is_copied(page, gateway):
    come_in(page, gateway)
    agent = opened(page, "admin_greeter")

    agent.get_by_role("button", name="Copy").click()
    agent.get_by_role("button", name="Copied").wait_for()

    copied = page.evaluate("navigator.clipboard.readText()")
    assert f"{gateway.url}/agents/admin/greeter" in copied
    assert "$WORKBENCH_TOKEN" in copied
    assert gateway.token not in page.content()
    assert page.evaluate("localStorage.length") == 0
    assert page.evaluate("document.cookie") == ""


def test_any_route_can_be_tried(page, gateway):
    come_in(page, gateway)
    route = opened(page, "runs_listing_of_agent")
    route.locator("[name=owner]").fill("admin")
    route.locator("[name=name]").fill("greeter")
    route.locator("[name=limit]").fill("3")
    shown = route.locator("pre").first.inner_text()
    assert f"{gateway.url}/agents/admin/greeter/runs?limit=3" in shown

    route.get_by_role("button", name="Send").click()

    route.locator("pre.body", has_text='"items"').wait_for()


def test_the_events_of_a_run_are_shown(page, gateway):
    run = gateway.ask("POST", "/agents/admin/greeter/runs", {}).json["id"]
    come_in(page, gateway)
    route = opened(page, "runs_events")
    route.locator("[name=run]").fill(run)

    route.get_by_role("button", name="Send").click()

    route.locator("pre.body", has_text="event: run.completed").wait_for()


def test_a_wrong_token_is_told_and_the_routes_are_still_there(page, gateway):
    page.goto(f"{gateway.url}/docs")
    page.locator("[data-operation=health_healthz]").wait_for()
    page.fill("#token", "wrong")
    page.click("#door button")

    page.locator("#who.bad", has_text="not known here").wait_for()

    assert page.locator("[data-operation=health_healthz]").count() == 1
    assert page.evaluate("sessionStorage.length") == 0
    # The one thing a browser says aloud of a 401.
    assert len(page.complaints) == 1
    assert "401" in page.complaints.pop()


def test_what_an_author_writes_is_text_and_never_part_of_the_page(page, gateway):
    evil = "<img src=x onerror=\"document.title='evil'\"><script>document.title='evil'</script>"
    source = f'# %% tags=["parameters"]\nx: str = {evil!r}  # {evil}\n'
    gateway.add("evil", source, description=evil)
    come_in(page, gateway)

    agent = opened(page, "admin_evil")

    assert agent.locator(".inside > p").inner_text() == evil
    assert evil in agent.locator(".help").first.inner_text()
    assert page.locator("main img, main script").count() == 0
    assert page.title() == "Agent Workbench"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_telephone_by_day_and_by_night(page, gateway, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 360, "height": 740})
    come_in(page, gateway)
    opened(page, "admin_greeter")

    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, paper[4:-1].split(","))) > 600) == (scheme == "light")
