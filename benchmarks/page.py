"""An agent's page in a browser that was never here, against an equal page of stock Voilà.

Prints one JSON line. Both are opened in turn in Chromium, each time with nothing cached and nothing
open, so that the ratio holds when the machine's speed drifts.

- page: from the address to a Run button that can be pressed: signed in, sandbox and all;
- stock: a notebook with the same fields and a button, by Voilà as it comes, whose style sheets from
  the internet are refused at once;
- again: the page in the same browser a second time;

    python benchmarks/page.py [--rounds N]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import BrowserContext, sync_playwright

from workbench import Workbench
from workbench.client.finding import gateway_of

ROOT = Path(__file__).parents[1]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
FLAGS = "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync"
# Asking would take as long as it happens to take; here nothing is found, at once.
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
LOGIN = "login-of-the-benchmark-0123456789"
PATIENCE = 120_000
AGENT = """\
# %% [markdown]
# Counts something in a year.
# %% tags=["parameters"]
from typing import Literal
year: Literal[2012, 2013, 2014, 2015] = 2015  # which year
above: float = 1.0  # what counts
# %%
from workbench import agent
agent.result({"year": year})
"""
EQUAL = """\
import ipywidgets as w
w.VBox([
    w.HTML("<h2>Counter</h2><p>Counts something in a year.</p>"),
    w.Dropdown(options=[2012, 2013, 2014, 2015], value=2015, description="Year"),
    w.FloatText(value=1.0, description="Above"),
    w.Button(description="Run", button_style="primary").add_class("bench-run"),
    w.Output(),
])
"""


@contextmanager
def running(command: list[str], **how: Any) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(command, text=True, **how)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@contextmanager
def voila(folder: Path, notebook: Path, *options: str, **environment: str) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    port = url.rpartition(":")[2]
    command = [sys.executable, "-m", "voila", str(notebook), f"--port={port}", "--no-browser"]
    kept = {k: v for k, v in os.environ.items() if not k.startswith("WORKBENCH_")}
    how = {"cwd": folder, "env": kept | {"PYTHONPATH": str(ROOT)} | environment}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with running([*command, "--Voila.ip=127.0.0.1", *options], **how, **quiet) as process:
        while process.poll() is None:
            with suppress(URLError):
                urlopen(f"{url}/voila/static/voila.js").close()
                break
            time.sleep(0.05)
        yield url


@contextmanager
def gallery(folder: Path) -> Iterator[str]:
    """Where the gallery of a gateway with one published agent answers."""
    home, login = folder / "home", folder / "login"
    login.write_text(LOGIN)
    serve = [sys.executable, "-m", "workbench", "serve", "--port", "0", "--home", str(home)]
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with running(serve, env=os.environ | {"PYTHONPATH": str(ROOT)}, **quiet) as process:
        assert process.stdout is not None
        assert any(line.startswith("gateway: ") for line in process.stdout)
        found = gateway_of(home)
        assert found is not None
        with Workbench(found.url, found.token) as wb:
            wb.agents.create("counter", AGENT).publish(force=True)
        config = ROOT / "server_config"
        told = {"WORKBENCH_HOME": str(home), "WORKBENCH_LOGIN_FILE": str(login)}
        told["JUPYTER_PATH"] = str(config)
        options = f"--Voila.config_file_paths={config}"
        with voila(folder, ROOT / "notebooks" / "gallery.ipynb", options, **told) as url:
            yield url


@contextmanager
def stock(folder: Path) -> Iterator[str]:
    """Where stock Voilà answers with a page that shows as much."""
    cell = {"cell_type": "code", "id": "one", "metadata": {}, "source": EQUAL, "outputs": []}
    spec = {"name": "python3", "language": "python", "display_name": "Python 3"}
    notebook = {"cells": [cell | {"execution_count": None}], "metadata": {"kernelspec": spec}}
    path = folder / "stock.ipynb"
    path.write_text(json.dumps(notebook | {"nbformat": 4, "nbformat_minor": 5}))
    empty = folder / "empty"
    empty.mkdir()
    with voila(folder, path, JUPYTER_CONFIG_DIR=str(empty)) as url:
        yield url


def opened(context: BrowserContext, url: str, button: str) -> float:
    """Milliseconds until *button* can be pressed."""
    page = context.new_page()
    begun = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.locator(f"{button}:enabled").wait_for(timeout=PATIENCE)
    took = (time.perf_counter() - begun) * 1000
    page.close(run_before_unload=True)
    return took


def measure(browser: Any, ours: str, theirs: str, rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {"page": [], "stock": [], "again": []}
    for number in range(rounds + 1):
        with browser.new_context() as context:
            context.request.get(f"{ours}/login?token={LOGIN}", max_redirects=0)
            page = opened(context, f"{ours}/?agent=admin/counter", ".wb-run")
            again = opened(context, f"{ours}/?agent=admin/counter", ".wb-run")
        with browser.new_context() as context:
            other = opened(context, theirs, ".bench-run")
        if number:  # the first of each finds nothing warm in the servers either
            for name, took in (("page", page), ("again", again), ("stock", other)):
                times[name].append(took)
    return times


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with ExitStack() as stack:
        places = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2)]
        ours, theirs = (
            stack.enter_context(gallery(places[0])),
            stack.enter_context(stock(places[1])),
        )
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS.split(), OFFLINE]
        )
        times = measure(browser, ours, theirs, rounds)
        browser.close()
    medians = {name: round(statistics.median(found)) for name, found in times.items()}
    fastest = {name: round(min(found)) for name, found in times.items()}
    ratio = medians["stock"] / medians["page"]
    told = {"ms": medians, "fastest_ms": fastest, "rounds": rounds}
    print(json.dumps({"benchmark": "page", **told, "stock_over_page": round(ratio, 2)}))


if __name__ == "__main__":
    main()
