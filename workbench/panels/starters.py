"""What a new agent may begin with: small programs in Python that run as they are."""

from __future__ import annotations

from collections.abc import Mapping

GREETING = """\
# %% [markdown]
# # Greets somebody
#
# Say here what this agent does; it becomes its description.
# %% tags=["parameters"]
name: str = "world"  # whom to greet
# %%
from workbench import agent

agent.result({"greeting": f"Hello, {name}!"})
"""

TABLE = """\
# %% [markdown]
# # Sums a table up
#
# Reads rows of numbers and tells how many there are and what they come to.
# %% tags=["parameters"]
rows: list[float] = [1.0, 2.5, 4.0]  # the numbers
digits: int = 2  # how many decimals
# %%
from statistics import mean

from workbench import agent

summary = {"count": len(rows), "sum": round(sum(rows), digits), "mean": round(mean(rows), digits)}
# %% tags=["check"]
assert summary["count"] == len(rows)
# %%
agent.result({**summary, "rows": [{"row": n, "value": value} for n, value in enumerate(rows, 1)]})
"""

STEPS = """\
# %% [markdown]
# # Works in steps
#
# Tells how far it is while it works, and leaves a file behind.
# %% tags=["parameters"]
steps: int = 5  # how many
# %%
import time

from workbench import agent

done = []
for step in range(1, steps + 1):
    time.sleep(0.3)
    done.append(f"step {step}")
    agent.progress(step / steps, f"step {step} of {steps}")
# %%
agent.file("steps.txt", "\\n".join(done).encode())
agent.result({"steps": len(done)})
"""

PROMPT = """\
Summarise in {{sentences: int = 3}} sentences:

{{text}}
"""
"""No program: what a language model is asked, with parameters in braces."""

STARTERS: Mapping[str, str] = {
    "Greeting": GREETING,
    "Table": TABLE,
    "Steps": STEPS,
    "Prompt": PROMPT,
    "Own source": "",
}
"""By what people call them."""
