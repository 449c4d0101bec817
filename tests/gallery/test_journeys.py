"""What viewers do with the gallery, in a real browser without a network."""

import re

import pytest

from tests.gallery.conftest import client

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect
LONG = 60_000
# A machine that has much else to do answers late; what never comes is still found out.
expect.set_options(timeout=LONG)

pytestmark = [
    pytest.mark.gateway,
    pytest.mark.kernel,
    pytest.mark.browser,
    pytest.mark.timeout(240),
]


def look_at(page, title):
    page.locator(".wb-cards-one", has_text=title).click()
    page.locator(".wb-note h2", has_text=title).wait_for()


def ended(page, status):
    badge = page.locator(f".wb-answer [data-status={status}]")
    expect(badge).to_be_visible(timeout=LONG)


def field(page, label):
    return page.get_by_label(re.compile(f"^{label}"))


def test_a_viewer_finds_fills_in_runs_sees_progress_and_downloads(browse, vera, tmp_path):
    page = browse(vera)
    expect(page.locator("#wb-user")).to_have_text("vera")
    expect(page.locator(".wb-cards-one")).to_have_count(4)
    page.get_by_placeholder("Find an agent").fill("steps draws")
    expect(page.locator(".wb-cards-one")).to_have_count(1)
    look_at(page, "Long walk")
    field(page, "Steps").fill("8")
    field(page, "Pace").select_option("slow")

    page.locator(".wb-run").click()

    expect(page.locator(".wb-answer [data-status=running]")).to_be_visible(timeout=LONG)
    expect(page.locator(".wb-segment[data-state=running]")).to_be_visible()
    expect(page.locator(".wb-doing")).to_have_text(re.compile(r"step [1-7] …"))
    expect(page.locator(".wb-log-line").first).to_have_text("step 1")
    ended(page, "completed")
    expect(page.locator(".wb-segment[data-state=completed]")).to_have_count(5)
    expect(page.locator(".wb-figures")).to_contain_text("8")
    expect(page.locator(".wb-table").first).to_contain_text("Even")
    expect(page.locator(".wb-picture img")).to_be_visible()
    with page.expect_download() as download:
        page.locator(".wb-link", has_text="steps.csv").click()
    assert download.value.path().read_bytes() == b"step\n1\n"
    # Below it may stand what the same visitor ran before.
    newest = page.locator(".wb-rows tbody tr").first
    expect(newest).to_contain_text("Steps: 8, Pace: slow")


def test_an_agent_has_an_address_to_keep_and_to_go_back_to(browse, house, vera):
    page = browse(vera, at="?agent=admin/long-walk", shows=".wb-run")
    expect(page.locator("h2:visible")).to_have_text("Long walk")
    expect(page).to_have_title("Long walk · Agent workbench")
    page.locator(".wb-back").click()
    expect(page).to_have_url(f"{house.url}/")
    look_at(page, "Slow")
    expect(page).to_have_url(re.compile(r"/\?agent=admin%2Fslow$"))

    page.go_back()

    expect(page.locator(".wb-cards-one").first).to_be_visible()
    page.go_back()
    expect(page.locator("h2:visible")).to_have_text("Long walk")
    page.go_forward()
    page.go_forward()
    expect(page.locator("h2:visible")).to_have_text("Slow")


def test_what_is_wrong_in_the_form_is_told_at_its_field_and_starts_nothing(browse, vera):
    page = browse(vera)
    look_at(page, "Long walk")

    field(page, "Steps").fill("many")
    expect(page.locator("[data-name=steps] .wb-wrong")).to_have_text("This must be a whole number.")
    page.locator(".wb-run").click()

    expect(page.locator(".wb-note[data-tone=bad]", has_text="another look")).to_be_visible()
    expect(page.locator(".wb-answer")).to_be_hidden()
    field(page, "Steps").fill("1")
    expect(page.locator("[data-name=steps] .wb-wrong")).to_be_hidden()
    field(page, "Steps").press("Enter")
    ended(page, "completed")


def test_a_run_is_called_off(browse, vera):
    page = browse(vera)
    look_at(page, "Slow")
    page.locator(".wb-run").click()
    expect(page.locator(".wb-log-line")).to_have_text("asleep", timeout=LONG)

    page.locator(".wb-cancel").click()

    ended(page, "cancelled")
    expect(page.locator(".wb-answer")).to_contain_text("It was called off.")
    expect(page.locator(".wb-run")).to_be_enabled()


def test_a_failed_run_is_a_sentence_and_an_id_without_code_or_traceback(browse, vera):
    page = browse(vera)
    look_at(page, "Breaker")
    page.locator(".wb-run").click()

    ended(page, "failed")
    told = page.locator(".wb-answer .wb-note:visible")
    expect(told).to_have_text(re.compile(r"met a problem and stopped\. .* run id [0-9a-f]{32}\."))
    text = page.locator("body").inner_text()
    assert "ZeroDivisionError" not in text
    assert "1 / 0" not in text


def test_a_strangers_notebook_is_a_usable_page_as_it_is(browse, vera):
    page = browse(vera)
    look_at(page, "Stranger")
    field(page, "Msg").fill("<i>hello</i>")

    page.locator(".wb-run").click()

    ended(page, "completed")
    expect(page.locator(".wb-value")).to_contain_text("<i>hello</i>")


def test_two_viewers_do_not_see_each_others_runs(browse, house, vera, walt):
    with client(house, vera) as wb:
        hers = wb.agents.get("admin/long-walk").start({"steps": 1})
        hers.wait()
    page = browse(walt)
    expect(page.locator("#wb-user")).to_have_text("walt")
    look_at(page, "Long walk")
    field(page, "Steps").fill("2")
    page.locator(".wb-run").click()
    ended(page, "completed")

    expect(page.locator(".wb-rows tbody tr")).to_have_count(1)
    expect(page.locator(".wb-rows tbody tr")).to_contain_text("Steps: 2")
    answer = page.request.get(f"{house.url}/runs/{hers.id}/steps.csv", max_redirects=0)
    assert answer.status == 404


def test_on_a_phone_nothing_is_wider_than_the_screen(browse, vera):
    page = browse(vera, viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    look_at(page, "Long walk")
    page.locator(".wb-run").tap()
    ended(page, "completed")
    expect(page.locator(".wb-table").first).to_be_visible()

    wide = page.evaluate("document.documentElement.scrollWidth")

    assert wide <= 360
    form, answer = (page.locator(name).bounding_box() for name in (".wb-form", ".wb-steps"))
    assert form["y"] + form["height"] < answer["y"]


def test_a_gateway_that_is_restarted_under_an_open_page_is_waited_for(browse, house, vera):
    page = browse(vera)
    look_at(page, "Slow")
    page.locator(".wb-run").click()
    expect(page.locator(".wb-log-line")).to_have_text("asleep", timeout=LONG)

    house.server.stop()
    # How the run ended, it may have said before it went; that it is gone shows whoever asks.
    page.locator(".wb-back").click()
    trouble = page.locator(".wb-note[data-tone=bad]", has_text="does not answer")
    expect(trouble).to_be_visible(timeout=LONG)
    house.server.start()

    expect(trouble).to_be_hidden(timeout=LONG)
    look_at(page, "Slow")
    page.locator(".wb-rows tbody tr").first.click()
    ended(page, "failed")
    expect(page.locator(".wb-answer")).to_contain_text("restarted while this ran")
    page.locator(".wb-back").click()
    look_at(page, "Long walk")
    page.locator(".wb-run").click()
    ended(page, "completed")


def test_a_page_that_is_closed_ends_its_kernel_and_one_that_lost_it_says_so(browse, house, vera):
    page = browse(vera)
    kernel = page.evaluate(
        "JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId"
    )
    alive = f"{house.url}/api/kernels/{kernel}"
    assert page.request.get(alive).status == 200
    other = page.context.new_page()
    other.goto(f"{house.url}/voila/static/voila.js")

    with page.expect_event("close"):
        page.close(run_before_unload=True)

    other.wait_for_function(
        "(alive) => fetch(alive).then((answer) => !answer.ok)", arg=alive, timeout=LONG
    )
