"""What every page here has around it: it fetches nothing and runs nothing, wherever it is opened."""

from __future__ import annotations

from html import escape

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_PICTURES = f"{_POLICY}; img-src data:"


def framed(body: str, *, title: str, style: str, pictures: bool = False) -> str:
    """The page of *body*, which is HTML already; with *pictures* that travel in it, if it has any."""
    policy = _PICTURES if pictures else _POLICY
    return _PAGE.format(policy=policy, title=escape(title), style=style, body=body)
