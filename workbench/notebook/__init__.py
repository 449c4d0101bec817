"""The document, never its execution.

A notebook is read here into what the rest of the workbench knows of it: its cells, the parameters
it declares, the definition of the agent it is. Nothing on this floor runs an author's code or
imports it; what is not plainly a notebook is refused with the place and the reason, and no
document, however made, takes more than bounded time and memory to refuse.
"""

from __future__ import annotations

import sys

# jsonschema compiles the 35 grammars of this optional package on import, which takes seconds, for
# a check that no notebook schema asks for; told that it is missing, it goes without.
# https://github.com/jupyter-server/jupyter_server/issues/1559
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
