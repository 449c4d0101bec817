"""A page of an executed notebook shows all of it, runs nothing and fetches nothing."""

import re
import time

import pytest

from workbench.notebook import rendering
from workbench.notebook.rendering import MOST_CELLS, MOST_TEXT, Heading, render

HEADING = Heading(title="ada/weather", status="completed", facts=[("version", "1.0.0")])
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def cell(source="x", *outputs, kind="code", **metadata):
    return {
        "cell_type": kind,
        "id": "a",
        "metadata": metadata,
        "source": source,
        **({"outputs": list(outputs), "execution_count": 3} if kind == "code" else {}),
    }


def shown(data):
    return {"output_type": "display_data", "data": data, "metadata": {}}


def page(*cells, heading=HEADING, trusted=False):
    return render({"cells": list(cells), "metadata": {}}, heading, trusted=trusted)


def body(html):
    return html.split("<body>", 1)[1]


POISON = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='JaVa\tScript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data='javascript:alert(1)'></object>",
    "<embed src='https://elsewhere.example/x.swf'>",
    "<form action='https://elsewhere.example'><input name=token><button>x</button></form>",
    "<meta http-equiv=refresh content='0;url=https://elsewhere.example'>",
    "<base href='https://elsewhere.example/'>",
    "<link rel=stylesheet href='https://elsewhere.example/x.css'>",
    "<style>@import 'https://elsewhere.example/x.css'; body{display:none}</style>",
    "<img src='https://elsewhere.example/pixel.png'>",
    "<div style='position:fixed;inset:0;background:url(https://elsewhere.example/x)'>x</div>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></math>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<template><script>alert(1)</script></template>",
    "<video src=x onerror=alert(1)></video>",
    "</section></main></body><script>alert(1)</script>",
    "<button data-commandlinker-command='x' formaction='javascript:alert(1)'>x</button>",
]
WAYS = {
    "html": lambda poison: cell("x", shown({"text/html": poison})),
    "html in lines": lambda poison: cell("x", shown({"text/html": [poison]})),
    "markdown": lambda poison: cell("x", shown({"text/markdown": poison})),
    "a cell of text": lambda poison: cell(poison, kind="markdown"),
    "plain": lambda poison: cell("x", shown({"text/plain": poison})),
    "latex": lambda poison: cell("x", shown({"text/latex": poison})),
    "svg": lambda poison: cell("x", shown({"image/svg+xml": poison})),
    "png": lambda poison: cell("x", shown({"image/png": f'"><{poison}'})),
    "stream": lambda poison: cell("x", {"output_type": "stream", "name": "stdout", "text": poison}),
    "error": lambda poison: cell(
        "x", {"output_type": "error", "ename": poison, "evalue": poison, "traceback": []}
    ),
    "traceback": lambda poison: cell(
        "x", {"output_type": "error", "ename": "", "evalue": "", "traceback": [poison]}
    ),
    "source": lambda poison: cell(poison),
    "raw": lambda poison: cell(poison, kind="raw"),
    "left out": lambda poison: cell("x", workbench={"skipped": poison}),
}
ACTING = re.compile(
    r"<(?:script|iframe|object|embed|form|input|button|meta|base|link|style|svg|math|video|template)"
    r"|<[^>]*\son\w+\s*=|<[^>]*(?:href|src)\s*=\s*[\"']?\s*(?:java\W*script|data:text|https?:)"
    r"|<[^>]*style=[\"'][^\"']*(?:url|position)",
    re.IGNORECASE,
)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("poison", POISON)
def test_nothing_that_an_agent_puts_out_can_act_or_fetch(way, poison):
    assert not ACTING.search(body(page(WAYS[way](poison))))


def test_what_is_looked_for_would_be_found():
    assert all(ACTING.search(poison) for poison in POISON)


def test_the_heading_is_escaped_too():
    poison = POISON[1]
    heading = Heading(
        title=poison, status=poison, facts=[(poison, poison)], result={poison: poison},
        trouble=poison,
    )  # fmt: skip

    html = page(heading=heading)

    assert "<img" not in html and html.count("&lt;img") == 9


def test_javascript_and_widgets_are_left_out():
    html = page(
        cell("x", shown({"application/javascript": "alert(1)"})),
        cell("x", shown({"application/vnd.jupyter.widget-view+json": {"model_id": "alert(1)"}})),
    )

    assert "alert(1)" not in html


def test_only_a_trusted_page_shows_the_authors_own_html_as_it_is():
    mine = "<style>.a{color:red}</style><svg><circle r='4'/></svg>"

    assert mine in page(cell("x", shown({"text/html": mine})), trusted=True)
    assert mine not in page(cell("x", shown({"text/html": mine})))


@pytest.mark.parametrize("trusted", [True, False])
def test_the_page_itself_forbids_scripts_and_fetches_nothing(trusted):
    html = page(cell("import os"), cell("# Title", kind="markdown"), trusted=trusted)

    assert "default-src 'none'" in html
    assert not re.search(r"https?://|<script|<link|@import|url\(", html)


def test_what_can_be_looked_at_is_kept():
    table = (
        '<table class="dataframe"><tr><th>a</th></tr><tr><td style="color:red">1</td></tr></table>'
    )
    html = page(
        cell("x", shown({"text/html": table, "text/plain": "no"})),
        cell("x", shown({"image/png": PNG, "text/plain": "no"})),
        cell("x", shown({"image/svg+xml": "<svg/>"})),
        cell("| a |\n|---|\n| *b* |", kind="markdown"),
        cell("x", {"output_type": "stream", "name": "stdout", "text": "\x1b[31mred\x1b[0m"}),
    )

    assert '<td style="color:red">1</td>' in html
    assert f'src="data:image/png;base64,{PNG}"' in html
    assert 'src="data:image/svg+xml;base64,PHN2Zy8+"' in html
    assert "<em>b</em>" in html
    assert '<span class="ansi-red-fg">red</span>' in html
    assert ">no<" not in html


def test_a_picture_attached_to_a_cell_of_text_stands_in_the_page():
    attached = cell("![a](attachment:a.png)", kind="markdown")
    attached["attachments"] = {"a.png": {"image/png": PNG}}

    assert f"data:image/png;base64,{PNG}" in page(attached)


def test_a_reader_sees_what_was_given_and_what_was_left_out():
    html = page(
        cell("year = 2015", tags=["parameters"]),
        cell("year = 2014", tags=["injected-parameters"]),
        cell("assert 1", workbench={"skipped": "check"}),
    )

    assert "parameters" in html and "given to this run" in html and "left out: check" in html


def test_a_large_notebook_makes_a_page_that_ends():
    long = page(*[cell("x")] * (MOST_CELLS + 1))
    wide = page(cell("x", shown({"text/plain": "y" * (MOST_TEXT + 1)})))

    assert long.count('<section class="cell') == MOST_CELLS and "The page ends here" in long
    assert "cut here" in wide and "y" * (MOST_TEXT + 1) not in wide


def test_half_a_character_and_odd_values_make_a_page_all_the_same():
    html = page(
        cell("\udfff", shown({"text/plain": "\udfff"})),
        cell("x", shown({"text/html": None, "image/png": 7})),
        cell("x", {"output_type": "stream"}, {"output_type": "error"}, {}),
    )

    html.encode()


@pytest.mark.parametrize(
    "piece",
    [
        "[",
        "![",
        "$$",
        "$a",
        "`",
        "*a ",
        "<a ",
        "\\begin{a}",
        "> ",
        "- ",
        "|a",
        "\n|-|\n|a|",
        "&",
        "<!--",
    ],
)
def test_markdown_made_to_take_for_ever_does_not(piece):
    text = (piece * MOST_TEXT)[: MOST_TEXT // 10]
    begun = time.process_time()
    page(cell(text, kind="markdown"))

    assert time.process_time() - begun < 5


def test_the_style_knows_light_and_dark():
    assert "prefers-color-scheme: dark" in rendering._style()
