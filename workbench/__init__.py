"""Notebook in, agent out.

Importing this package is cheap on purpose: every kernel does it. `from workbench import agent`
gives what an agent's notebook needs while it runs and nothing else.
"""

from __future__ import annotations

__version__ = "0.1.0"
