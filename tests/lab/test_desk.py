"""The workbench as an author meets it in JupyterLab: the desk, from the tile to the figures."""

import re

import pytest

from tests.lab.browsing import PATIENCE, edit, expect, go, in_a_browser, settle
from tests.lab.conftest import GREETER

pytestmark = in_a_browser

STEPS = """\
# %% [markdown]
# # Takes its time
# %% tags=["parameters"]
steps: int = 3  # how many
# %%
import time

from workbench import agent

for step in range(steps):
    print("step", step + 1, flush=True)
    agent.progress((step + 1) / steps, f"step {step + 1} of {steps}")
    time.sleep(0.3)
# %%
agent.file("steps.txt", b"all of them")
agent.result({"steps": steps})
"""
DARK = "JupyterLab Dark"
CONTRAST = 4.5
"""What WCAG 2.2 asks of text in normal size (success criterion 1.4.3)."""

# The sides of the desk, and what is there once one of them is.
SIDES = {
    "versions": ".wb-rows tr[data-id='1.0.0']:visible",
    "edit": "select[name=visibility]:visible",
    "limits": "input[name=memory_bytes]:visible",
    "cases": ".wb-run-all:visible",
    "call": ".wb-snippet:visible",
    "figures": ".wb-chart:visible svg",
}

# How text stands out from what is behind it, at the least, and where that is.
LEAST_CONTRAST = """(root) => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map((n) => top[n] * top[3] + below[n] * (1 - top[3])).concat(1);
  const light = (color) => {
    const part = color.slice(0, 3).map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
  };
  const page = matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18, 1] : [255, 255, 255, 1];
  const behind = (element) => {
    if (!element) return page;
    const own = rgba(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own : over(own, behind(element.parentElement));
  };
  const shown = [...root.querySelectorAll('h2, h3, h4, p, td, th, label, code, summary, button, .wb-badge, .wb-help, .wb-wrong')]
    .filter((one) => one.checkVisibility() && !one.disabled && one.textContent.trim());
  const found = shown.map((one) => {
    const ground = behind(one);
    const [a, b] = [light(over(rgba(getComputedStyle(one).color), ground)), light(ground)];
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), one.outerHTML.slice(0, 120)];
  });
  return found.sort((a, b) => a[0] - b[0])[0];
}"""


@pytest.fixture
def wb(lab):
    with lab.serving.workbench() as wb:
        yield wb


@pytest.fixture
def desk(page, lab):
    """The page of the desk, as it opens when nobody asks for anything else."""
    go(page, lab)
    page.locator(".wb-cards-one, .wb-empty").first.wait_for(timeout=PATIENCE)
    return page


def look_at(page, name):
    page.locator(".wb-cards-one", has_text=name).click()
    page.locator(".wb-note h2:visible", has_text=name).wait_for(timeout=PATIENCE)


def side(page, name):
    page.locator(f".wb-tab[data-id={name}]:visible").click()


def field(page, label):
    return page.locator(".wb-form:visible").get_by_label(label, exact=True)


def press(page, name):
    page.locator(f".wb-{name}:visible").click()


def ended(page, status):
    badge = page.locator(f".wb-answer:visible [data-status={status}]")
    expect(badge).to_be_visible(timeout=PATIENCE)


def test_an_author_creates_edits_in_the_drive_tests_publishes_and_compares(desk, wb):
    page = desk
    press(page, "new")
    # The form of an agent that was looked at before may have a "Name" as well.
    name = page.locator(".wb-form:visible", has=page.locator("[data-name=starter]"))
    name = name.locator("[data-name=name]")
    name.get_by_label("Name", exact=True).fill("Day Greeter")
    expect(name.locator(".wb-wrong")).to_contain_text("a-z")
    name.get_by_label("Name", exact=True).fill("day-greeter")
    field(page, "Begin with").select_option("Greeting")
    press(page, "create")
    look_at(page, "day-greeter")
    expect(page.locator(".wb-run:visible")).to_be_disabled()

    field(page, "Name").fill("Grace")
    press(page, "test")
    ended(page, "completed")
    expect(page.locator(".wb-value:visible")).to_contain_text("Hello, Grace!")

    side(page, "edit")
    side(page, "cases")
    press(page, "add")
    field(page, "Name of the case").fill("grace")
    field(page, "Name").fill("Grace")
    press(page, "run-one")
    expect(page.locator("[data-status=passed]:visible")).to_be_visible(timeout=PATIENCE)
    press(page, "expect")
    side(page, "limits")
    field(page, "Memory").fill("64 GiB")
    expect(page.locator("[data-name=memory_bytes] .wb-wrong")).to_contain_text("at most 4 GiB")
    expect(page.locator(".wb-save:visible")).to_be_disabled()
    field(page, "Memory").fill("512 MiB")
    press(page, "save")
    expect(page.locator(".wb-save:visible")).to_have_text("Saved", timeout=PATIENCE)
    agent = wb.agents.get("admin/day-greeter")
    assert agent.about["limits"] == {"memory_bytes": 512 * 2**20}
    assert agent.about["cases"] == ["grace"]

    side(page, "versions")
    press(page, "publish")
    field(page, "What is new").fill("Greets by day")
    press(page, "publish-now")
    expect(page.locator(".wb-note[data-tone=good]")).to_contain_text("published", timeout=PATIENCE)
    expect(page.locator(".wb-rows tr[data-id='1.0.0']:visible")).to_contain_text("Greets by day")

    page.evaluate(
        "() => void jupyterapp.commands.execute('docmanager:open',"
        " { path: 'agents/admin/day-greeter.ipynb', factory: 'Notebook' })"
    )
    settle(page, "agents/admin/day-greeter.ipynb")
    edit(page, 'from workbench import agent\n\nagent.result({"greeting": f"Good night, {name}"})')
    page.keyboard.press("Control+s")
    page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
    page.locator(".lm-TabBar-tab.wbl-tab").click()
    look_at(page, "day-greeter")
    expect(page.locator(".wb-cards-one", has_text="day-greeter")).to_contain_text("edited")
    side(page, "versions")
    page.locator(".wb-rows tr[data-id='1.0.0']:visible").click()
    page.locator(".wb-rows tr[data-id=draft]:visible").click()
    compared = page.frame_locator(".wb-page iframe:visible")
    expect(compared.locator("tr.went").first).to_contain_text("Hello", timeout=PATIENCE)
    expect(compared.locator("tr.came").first).to_contain_text("Good night")

    press(page, "publish")
    press(page, "publish-now")
    told = page.locator(".wb-note[data-tone=bad]:visible")
    expect(told).to_contain_text("not every case passed", timeout=PATIENCE)
    expect(page.locator(".wb-rows tr[data-id=grace]:visible")).to_be_visible()
    agent.refresh()
    assert agent.current_version == "1.0.0"


def test_a_run_is_watched_called_off_found_again_and_compared(desk, wb):
    page = desk
    wb.agents.create("walker", STEPS).publish(force=True)
    page.get_by_placeholder("Find an agent").last.fill("takes its time")
    look_at(page, "walker")
    press(page, "run")
    expect(page.locator(".wb-doing:visible")).to_have_text(re.compile("step [1-3] of 3"))
    expect(page.locator(".wb-log-line:visible").first).to_have_text("step 1")
    ended(page, "completed")
    with page.expect_download() as download:
        page.locator(".wb-link:visible", has_text="steps.txt").click()
    assert download.value.path().read_bytes() == b"all of them"

    field(page, "Steps").fill("many")
    press(page, "run")
    expect(page.locator("[data-name=steps]:visible .wb-wrong")).to_contain_text("whole number")
    field(page, "Steps").fill("1000")
    press(page, "run")
    expect(page.locator(".wb-log-line:visible").first).to_have_text("step 1", timeout=PATIENCE)
    press(page, "cancel")
    ended(page, "cancelled")

    side(page, "runs")
    page.get_by_placeholder("Of an agent").fill("walk")
    rows = page.locator(".wb-rows tbody tr:visible")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("cancelled")
    rows.nth(1).click()
    shown = page.frame_locator(".wb-page iframe:visible")
    expect(shown.locator("body")).to_contain_text("admin/walker", timeout=PATIENCE)
    rows.nth(0).click(modifiers=["Control"])
    expect(shown.locator(".changed").first).to_be_visible(timeout=PATIENCE)
    rows.nth(0).click()
    press(page, "again")
    expect(field(page, "Steps")).to_have_value("1000", timeout=PATIENCE)


def test_a_gateway_restarted_under_an_open_desk_is_told_and_waited_for(desk, lab, wb):
    page = desk
    wb.agents.create(
        "sleeper", "import time\nprint('asleep', flush=True)\ntime.sleep(600)"
    ).publish(force=True)
    page.get_by_placeholder("Find an agent").last.fill("asleep")
    look_at(page, "sleeper")
    press(page, "run")
    expect(page.locator(".wb-log-line:visible")).to_have_text("asleep", timeout=PATIENCE)

    lost = page.locator(".wb-note[data-tone=bad]", has_text="does not answer")
    lab.serving.stop()
    try:
        # Whether the run's end was still heard or not: whoever asks for something is told.
        side(page, "runs")
        expect(lost).to_be_visible(timeout=PATIENCE)
        expect(lost).to_contain_text("Your runs are kept")
    finally:
        lab.serving.start()

    expect(lost).to_be_hidden(timeout=PATIENCE)
    side(page, "agents")
    ended(page, "failed")
    expect(page.locator(".wb-answer:visible")).to_contain_text("was stopped while")
    expect(page.locator(".wb-log-line:visible")).to_have_text(["asleep"])
    page.get_by_placeholder("Find an agent").last.fill("")
    side(page, "figures")
    expect(page.locator(".wb-chart:visible svg").first).to_be_visible(timeout=PATIENCE)


def test_the_tile_opens_the_desk_and_a_cell_shows_it_too(page, lab, wb):
    wb.agents.create("in-a-cell", GREETER).publish(force=True)
    go(page, lab, "/tree/agents/admin/in-a-cell.ipynb")
    settle(page, "agents/admin/in-a-cell.ipynb")
    edit(page, "from workbench.panels.desk import Desk\n\nDesk().view")

    page.evaluate("() => void jupyterapp.commands.execute('notebook:run-all-cells')")
    cell = page.locator(".jp-NotebookPanel:visible .wb")
    expect(cell.locator(".wb-cards-one", has_text="in-a-cell")).to_be_visible(timeout=PATIENCE)

    page.evaluate("() => void jupyterapp.commands.execute('launcher:create')")
    page.locator(".jp-LauncherCard:visible", has_text="Agent Workbench").click()
    opened = page.locator(".wbl-page .wb-cards-one", has_text="in-a-cell")
    expect(opened).to_be_visible(timeout=PATIENCE)


@pytest.mark.parametrize("theme", ["JupyterLab Light", DARK])
def test_whatever_the_theme_what_is_written_can_be_read(desk, wb, theme):
    page = desk
    if not [a for a in wb.agents.list() if a.address == "admin/contrast"]:
        wb.agents.create("contrast", GREETER).publish(force=True)
    agent = wb.agents.get("admin/contrast")
    for name in ("Ann", "Ben"):
        agent.run(name=name)
    page.evaluate(
        "theme => void jupyterapp.commands.execute('apputils:change-theme', { theme })", theme
    )
    page.locator(f"body[data-jp-theme-name='{theme}']").wait_for(state="attached")
    page.get_by_placeholder("Find an agent").last.fill("contrast")
    look_at(page, "contrast")

    for name, there in SIDES.items():
        side(page, name)
        page.locator(there).first.wait_for(timeout=PATIENCE)
        readable(page.locator(".wb:visible").first, name)
    side(page, "runs")
    runs = page.locator(".wb-rows tbody tr:visible:has(.wb-badge)")
    runs.first.click()
    runs.nth(1).click(modifiers=["Control"])
    inside = page.frame_locator(".wb-page iframe:visible").locator("body")
    expect(inside).to_contain_text("parameters", timeout=PATIENCE)
    readable(inside, "difference")
    dark = inside.evaluate("() => matchMedia('(prefers-color-scheme: dark)').matches")
    assert dark is (theme == DARK)


def readable(root, where):
    ratio, element = root.evaluate(LEAST_CONTRAST)
    assert ratio >= CONTRAST, (where, ratio, element)
