"""HTML that somebody else wrote, with everything in it that could act taken out.

What is left can be looked at: text, tables, pictures that travel with the page. Scripts, handlers,
forms, frames, styles that leave their place and addresses that fetch something are gone.
"""

from __future__ import annotations

import nh3

_TAGS = nh3.ALLOWED_TAGS | {"section", "tfoot"}
_ATTRIBUTES = {
    **nh3.ALLOWED_ATTRIBUTES,
    "*": {"class", "style", "title", "dir", "lang"},
    "details": {"open"},
}
_STYLES = {
    "background-color",
    "border",
    "color",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "height",
    "max-width",
    "padding",
    "text-align",
    "text-decoration",
    "vertical-align",
    "white-space",
    "width",
}
_SCHEMES = {"http", "https", "mailto", "data"}


def clean(html: str) -> str:
    """*html* without anything that could act, fetch or leave its place."""
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_kept,
        url_schemes=_SCHEMES,
        filter_style_properties=_STYLES,
        link_rel="noopener noreferrer nofollow",
    )


def _kept(tag: str, attribute: str, value: str) -> str | None:
    """The value an attribute may keep; None takes the attribute away."""
    if attribute == "src":
        return value if value.lower().startswith("data:image/") else None
    if attribute == "style":
        return None if "url(" in value.lower() or "\\" in value else value
    if attribute in ("href", "cite"):
        return None if value.strip().lower().startswith("data:") else value
    return value
