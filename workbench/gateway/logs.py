"""The log: words for people, or an object a line for programs.

What a line is about (request, user, run) stands in the record as `facts`; a query, a body, a token
or an address with names in it never does.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from workbench.domain.runs import Run
from workbench.services.views import moment

log = logging.getLogger("workbench.runs")

TEXT, JSON = "text", "json"

_OURS = "workbench"
_WORDS = "%(asctime)s %(levelname)s %(message)s"


class AsJson(logging.Formatter):
    """One JSON object per record."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        said: dict[str, object] = {
            "time": moment(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps(said, default=str)


def speak(form: str) -> None:
    """Write the log of this process to its standard error, as *form* says.

    In words only what is wrong is told; for programs, each request and each run has its line.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(AsJson() if form == JSON else logging.Formatter(_WORDS))
    logging.getLogger().handlers[:] = [handler]
    logging.getLogger(_OURS).setLevel(logging.INFO if form == JSON else logging.WARNING)
    # What protects this machine is said once, whatever is wrong or not.
    logging.getLogger(f"{_OURS}.isolation").setLevel(logging.INFO)
    logging.captureWarnings(True)


def tell_of(run: Run) -> None:
    """A line for a run that has begun, ended or is to begin again."""
    facts: dict[str, object] = {
        "run_id": run.id,
        "user": run.user,
        "agent": run.address,
        "version": run.version,
        "test": run.test,
        "status": str(run.status),
        "attempt": run.attempt,
    }
    if run.reason is not None:
        facts["reason"] = str(run.reason)
    if run.seconds is not None:
        facts["ms"] = round(run.seconds * 1000, 1)
    log.info("run %s %s", run.id, run.status, extra=about(facts))


def about(facts: Mapping[str, object]) -> dict[str, object]:
    """What to give a log call as `extra`, for a line that is about *facts*."""
    return {"facts": {name: value for name, value in facts.items() if value != ""}}
