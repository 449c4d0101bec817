"""The figures in docs/figures.md, from the benchmarks and the suites they come from.

    python benchmarks/figures.py [--folder FOLDER] [--read] [--only NAME…]

Runs every benchmark that prints a line of JSON and every suite that counts something, keeps what
they say in FOLDER, and writes the page. With `--read` nothing is run: the page is made of what lies
in FOLDER. With `--only` nothing but the named ones is run anew. What is not there is left out of
the page, with a word.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "figures.md"
LEVELS = ("namespaces+cgroup", "namespaces", "landlock", "none")

Row = tuple[str, str]


@dataclass(frozen=True)
class Case:
    """One test that was run.

    Attributes:
        name: With its parameter in brackets.
        passed: Whether it did; a skipped one is no case.
        properties: What it counted.
    """

    name: str
    passed: bool
    properties: Mapping[str, str]


@dataclass(frozen=True)
class Section:
    """One part of the page.

    Attributes:
        name: Of the benchmark or suite, and of the file its results are kept in.
        title: Above its table.
        paths: Patterns of the files of a suite; empty for a benchmark.
        rows: What its results say.
    """

    name: str
    title: str
    rows: Callable[[Any], Iterator[Row]]
    paths: tuple[str, ...] = ()


def benchmark(found: Mapping[str, Any]) -> Iterator[Row]:
    """Every ratio that a benchmark prints, whatever else it prints."""
    for path, value in flat(found):
        last = path[-1]
        ratio = "_over_" in last or "ratio" in last or path[0] == "most_to_fewest"
        if ratio and path[0] != "median_ms":
            yield " ".join(path).replace("_", " "), f"**{value:g}**"


def runs(found: Mapping[str, Any]) -> Iterator[Row]:
    for name, ms in found["median_ms"].items():
        yield f"{name}, median", f"{ms:g} ms"
    yield from benchmark(found)
    for name, rate in found["runs_per_second"].items():
        yield f"{name.replace('_', ', clients: ')}", f"{rate:g} a second"


def recovery(found: Mapping[str, Any]) -> Iterator[Row]:
    nothing = found["serving_seconds_with_nothing"]
    yield "from a start to serving, nothing to take up", f"{nothing:g} s"
    for waiting, told in found["by_waiting"].items():
        many = f"{int(waiting):,} waiting runs"
        yield f"{many}: from `kill -9` and a start to serving", f"{told['serving_seconds']:g} s"
        yield f"{many}: to the last of them settled", f"{told['settled_seconds']:g} s"
        yield f"{many}: accepted, over HTTP", f"{told['accepted_per_second']:g} a second"
        yield f"{many}: memory", f"{told['bytes_per_waiting_run'] / 1000:.1f} kB each"
    yield from benchmark(found)


def serving(found: Mapping[str, Any]) -> Iterator[Row]:
    slow, routes = found["missed"], found["routes"]
    within = f"**{len(routes) - len(slow)} of {len(routes)}**"
    yield f"routes within {found['limit_ms']:g} ms at {found['clients']} callers", within
    yield from benchmark(found)


def models(found: Mapping[str, Any]) -> Iterator[Row]:
    for part, what in (
        ("whole", "a whole answer"),
        ("first_piece", "the first piece of a stream"),
        ("stream", "a stream of 50 pieces"),
    ):
        told = found[part]
        direct = f"{told['direct_ms']:g} ms without"
        yield f"{what}: added by the gateway, median", f"{told['added_ms']:g} ms ({direct})"
    counted, waiting = found["counted"], found["waiting"]
    equal = "**equal**" if counted["equal_to_the_unit"] else "not equal"
    yield f"tokens and cost of {counted['calls']:,} questions, beside the upstream's own", equal
    replay = found["replay"]
    yield "a question replayed in a run, median", f"{replay['replay_ms']:g} ms"
    done = f"**{waiting['completed']} of {waiting['runs']}**"
    yield "runs that wait for a slow model at once, and complete", done
    yield "memory of each", f"{waiting['mb_per_run']:g} MB"
    yield "of that in the gateway", f"{waiting['gateway_mb_per_run']:g} MB"
    yield from benchmark(found)


def passed(what: str) -> Callable[[Sequence[Case]], Iterator[Row]]:
    """How many of the cases of a suite passed."""

    def rows(cases: Sequence[Case]) -> Iterator[Row]:
        good = sum(case.passed for case in cases)
        yield what, f"**{good} of {len(cases)}**"

    return rows


def kinds(test: str, what: str) -> Callable[[Sequence[Case]], Iterator[Row]]:
    """How many of the cases of one parametrized test passed."""

    def rows(cases: Sequence[Case]) -> Iterator[Row]:
        return passed(what)([case for case in cases if case.name.startswith(f"{test}[")])

    return rows


def per_level(cases: Sequence[Case]) -> Iterator[Row]:
    """How many of the cases passed at each level of isolation."""
    tried, good = Counter[str](), Counter[str]()
    for case in cases:
        level = next((level for level in LEVELS if level in case.name), "every level")
        tried[level] += 1
        good[level] += case.passed
    for level, count in tried.items():
        yield f"attacks denied at `{level}`", f"**{good[level]} of {count}**"


def crashes(cases: Sequence[Case]) -> Iterator[Row]:
    """Kills, and what they cost; a case that passed has lost nothing and doubled nothing."""
    counted = [case for case in cases if "kill_rounds" in case.properties]
    rounds = sum(int(case.properties["kill_rounds"]) for case in counted)
    held = sum(int(case.properties["kill_runs"]) for case in counted)
    bad = sum(not case.passed for case in counted)
    lost = "**0 lost, 0 doubled**" if counted and not bad else f"{bad} suites failed"
    yield f"{rounds} times `kill -9`, {held:,} accepted runs", lost
    for case in cases:
        if "queued_runs" in case.properties:
            many = int(case.properties["queued_runs"])
            outcome = "**all carried out, in their order**" if case.passed else "failed"
            yield f"{many:,} waiting runs over a restart", outcome
        if "bytes_per_queued_run" in case.properties:
            yield (
                "memory per waiting run",
                f"{int(case.properties['bytes_per_queued_run']):,} bytes",
            )


SECTIONS = (
    Section("runs", "A call, beside papermill and a stock Kernel Gateway", runs),
    Section("engine", "Kernels and the sandbox", benchmark),
    Section("poison", "Floods", benchmark),
    Section("serving", "Lists, searches and documents", serving),
    Section("catalog", "The store, with a million runs beside a thousand", benchmark),
    Section("recovery", "After a kill", recovery),
    Section("page", "The page of an agent, in a browser that was never there", benchmark),
    Section("models", "Questions to language models", models),
    Section(
        "walls",
        "Attempts at what an agent must not do",
        per_level,
        ("tests/kernels/test_prob*.py", "tests/kernels/test_walls*.py"),
    ),
    Section(
        "poisoned",
        "Poisonous notebooks",
        passed("ended with their reason, nothing left behind"),
        ("tests/kernels/test_poison*.py",),
    ),
    Section("crashes", "Kills", crashes, ("tests/faults/test_crashes.py", "tests/faults/test_load.py")),
    Section(
        "damage",
        "Damaged indexes",
        kinds("test_a_damaged_index_says_what_the_journal_says", "kinds, every row there again"),
        ("tests/faults/test_damage.py",),
    ),
    Section(
        "malformed",
        "Bad requests",
        passed("kinds refused with a 4xx, none with a 5xx, nothing changed"),
        ("tests/gateway/test_malformed.py",),
    ),
)  # fmt: skip

FACE = """\
# Figures

Made by `make figures` on one machine at one time: the ratios are what counts, both sides of each
were measured in the same run. What a row leaves out is in the script that it comes from.
"""


def flat(found: Mapping[str, Any], *above: str) -> Iterator[tuple[tuple[str, ...], float]]:
    """Every number in *found*, with the way to it."""
    for name, value in found.items():
        if isinstance(value, Mapping):
            yield from flat(value, *above, name)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield (*above, name), value


def run_benchmark(section: Section, folder: Path) -> None:
    """Keep the last line that the benchmark prints, if there is such a benchmark."""
    script = ROOT / "benchmarks" / f"{section.name}.py"
    if not script.exists():
        return
    done = subprocess.run(
        [sys.executable, str(script)], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    lines = done.stdout.splitlines()
    if done.returncode == 0 and lines:
        (folder / f"{section.name}.json").write_text(lines[-1])


def run_suite(section: Section, folder: Path) -> None:
    """Keep how the tests of the suite went, if there is such a suite."""
    paths = sorted(str(path) for pattern in section.paths for path in ROOT.glob(pattern))
    if paths:
        report = folder / f"{section.name}.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-m", "", f"--junitxml={report}", *paths]
        subprocess.run(command, cwd=ROOT, check=False)


def read_benchmark(path: Path) -> dict[str, Any] | None:
    return dict(json.loads(path.read_text())) if path.exists() else None


def read_suite(path: Path) -> list[Case] | None:
    if not path.exists():
        return None
    cases = []
    # Written by pytest on this machine a moment ago.
    for element in ElementTree.parse(path).iter("testcase"):
        if element.find("skipped") is None:
            bad = element.find("failure") is not None or element.find("error") is not None
            said = {p.attrib["name"]: p.attrib["value"] for p in element.iter("property")}
            cases.append(Case(element.attrib["name"], not bad, said))
    return cases or None


def page(folder: Path) -> str:
    """The page, of whatever lies in *folder*."""
    parts = [FACE]
    for section in SECTIONS:
        kind = "xml" if section.paths else "json"
        path = folder / f"{section.name}.{kind}"
        found = read_suite(path) if section.paths else read_benchmark(path)
        source = ", ".join(section.paths) or f"benchmarks/{section.name}.py"
        parts.append(f"\n## {section.title}\n\n")
        if found is None:
            parts.append(f"Not measured this time (`{source}`).\n")
        else:
            rows = "".join(f"| {what} | {value} |\n" for what, value in section.rows(found))
            parts.append(f"| `{source}` | |\n|---|---|\n{rows}")
    return "".join(parts)


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--folder", type=Path, default=ROOT / ".figures")
    reader.add_argument("--read", action="store_true")
    reader.add_argument("--only", nargs="*", choices=[section.name for section in SECTIONS])
    asked = reader.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    for section in SECTIONS:
        if not asked.read and (asked.only is None or section.name in asked.only):
            (run_suite if section.paths else run_benchmark)(section, asked.folder)
    PAGE.write_text(page(asked.folder))


if __name__ == "__main__":
    main()
