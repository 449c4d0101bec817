"""The screens of the gallery and of the authors' desk, for `make screenshots`.

Each screen is a function; its name is the file's. It begins on an empty page and leaves the page as
it is to be looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page

PATIENCE = 90_000

Addresses = dict[str, str]
Screen = Callable[[Page, Addresses, str], None]


def gallery_sign_in(page: Page, at: Addresses, theme: str) -> None:
    page.goto(at["voila"].partition("?")[0])


def gallery_agents(page: Page, at: Addresses, theme: str) -> None:
    page.goto(at["voila"], wait_until="commit")
    page.locator(".wb-cards-one").first.wait_for(timeout=PATIENCE)


def gallery_agent(page: Page, at: Addresses, theme: str) -> None:
    gallery_agents(page, at, theme)
    page.locator(".wb-cards-one", has_text="Seattle weather").click()
    page.locator(".wb-run").click()
    page.locator(".wb-answer [data-status=completed]").wait_for(timeout=PATIENCE)
    page.locator(".wb-picture img").wait_for(timeout=PATIENCE)


def gallery_form(page: Page, at: Addresses, theme: str) -> None:
    gallery_agents(page, at, theme)
    page.locator(".wb-cards-one", has_text="Car mileage").click()
    field = page.locator(".wb-form input[inputmode]").first
    field.fill("many")
    page.locator(".wb-run").click()


def desk_agents(page: Page, at: Addresses, theme: str) -> None:
    _desk(page, at, theme)
    _look_at(page, "seattle-weather")
    page.locator(".wb-run:visible").click()
    page.locator(".wb-answer [data-status=completed]:visible").wait_for(timeout=PATIENCE)
    page.locator(".wb-picture img:visible").wait_for(timeout=PATIENCE)


def desk_new(page: Page, at: Addresses, theme: str) -> None:
    _desk(page, at, theme)
    page.locator(".wb-new").click()


def desk_versions(page: Page, at: Addresses, theme: str) -> None:
    _desk(page, at, theme)
    _look_at(page, "employment-shift")
    page.locator(".wb-tab[data-id=versions]").click()
    page.locator(".wb-rows tr[data-id=draft]").click()
    page.locator(".wb-rows tr[data-id='1.0.0']").click()
    page.locator(".wb-page iframe:visible").wait_for(timeout=PATIENCE)


def desk_edit(page: Page, at: Addresses, theme: str) -> None:
    _desk(page, at, theme)
    _look_at(page, "seattle-weather")
    page.locator(".wb-tab[data-id=edit]").click()
    page.locator(".wb-tab[data-id=limits]").click()
    page.locator("input[name=memory_bytes]:visible").wait_for(timeout=PATIENCE)


def desk_cases(page: Page, at: Addresses, theme: str) -> None:
    desk_edit(page, at, theme)
    page.locator(".wb-tab[data-id=cases]").click()
    page.locator(".wb-run-all:visible").click()
    page.locator("[data-status=passed]:visible").nth(1).wait_for(timeout=PATIENCE)
    page.locator(".wb-rows tr[data-id='1']:visible").click()


def desk_runs(page: Page, at: Addresses, theme: str) -> None:
    _desk(page, at, theme)
    page.locator(".wb-tab[data-id=runs]").click()
    rows = page.locator(".wb-rows tbody tr:visible")
    rows.first.click()
    rows.nth(1).click(modifiers=["Control"])
    page.locator(".wb-page iframe:visible").wait_for(timeout=PATIENCE)


def desk_figures(page: Page, at: Addresses, theme: str) -> None:
    _desk(page, at, theme)
    page.locator(".wb-tab[data-id=figures]").click()
    page.locator(".wb-chart svg").first.wait_for(timeout=PATIENCE)
    page.locator(".wb-rows tr:visible", has_text=re.compile("seattle")).first.wait_for()


GALLERY: tuple[Screen, ...] = (gallery_sign_in, gallery_agents, gallery_agent, gallery_form)
"""Taken on a phone's width as well."""

DESK: tuple[Screen, ...] = (
    desk_agents,
    desk_new,
    desk_versions,
    desk_edit,
    desk_cases,
    desk_runs,
    desk_figures,
)


def _desk(page: Page, at: Addresses, theme: str) -> None:
    address, _, token = at["lab"].partition("?")
    page.goto(f"{address}?reset&{token}", wait_until="commit")
    page.locator(".wb-cards-one").first.wait_for(timeout=PATIENCE)
    named = "JupyterLab Dark" if theme == "dark" else "JupyterLab Light"
    page.evaluate(
        "theme => void jupyterapp.commands.execute('apputils:change-theme', { theme })", named
    )
    page.locator(f"body[data-jp-theme-name='{named}']").wait_for(state="attached")


def _look_at(page: Page, name: str) -> None:
    page.locator(".wb-cards-one", has_text=name).click()
    page.locator(".wb-note h2:visible", has_text=name).wait_for(timeout=PATIENCE)
