"""Starts the lean kernel as ipykernel's launcher starts its own: from a connection file.

Prepared and then forked, as in a template, so that what is tested is what runs get.
"""

import importlib
import os
import signal
import sys
import tempfile
from pathlib import Path
from types import ModuleType


def main():
    """Serve on the connection file that is named last on the command line."""
    root = Path(__file__).resolve().parents[3]
    sys.path.append(str(root))
    above = ModuleType("workbench.kernels")
    above.__path__ = [str(root / "workbench" / "kernels")]
    sys.modules["workbench.kernels"] = above
    sys.modules["debugpy"] = None
    lean = importlib.import_module("workbench.kernels.inside.lean")
    del sys.modules["debugpy"]

    class OnFile(lean.Lean):
        """The lean kernel on sockets it binds itself."""

        _try_bind_socket = lean.IPKernelApp._try_bind_socket

        def _identify(self, order):
            self.connection_file = order
            self.load_connection_file()
            self.session.pid = os.getpid()
            self.init_heartbeat()

    app = OnFile.instance()
    app.before_fork(tempfile.mkdtemp(prefix="lean-"))
    child = os.fork()
    if child:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    app.start(sys.argv[-1], (), lambda: None)


if __name__ == "__main__":
    main()
