"""How much one run may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The budgets of one run.

    Attributes:
        seconds: Wall time from the first cell to the last.
        start_seconds: How long its kernel may take to be ready.
        kept_output_bytes: How much output the executed notebook keeps; what is beyond is cut.
        output_bytes: How much output ends the run.
        result_bytes: How large the result may be, as JSON.
        files: How many files it may leave.
        file_bytes: How much all of them may weigh.
        grace_seconds: How long an interrupted cell may take to heed before it is killed.
    """

    seconds: float = 60.0
    start_seconds: float = 60.0
    kept_output_bytes: int = 2 * 1024 * 1024
    output_bytes: int = 20 * 1024 * 1024
    result_bytes: int = 1024 * 1024
    files: int = 1_000
    file_bytes: int = 256 * 1024 * 1024
    grace_seconds: float = 2.0
