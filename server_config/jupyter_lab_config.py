# JupyterLab, where `workbench up` wants something else than its defaults.
# What it shows unless you choose otherwise in its own settings is in `lab/labconfig`.

import os
from pathlib import Path

c = get_config()

here = Path(__file__).resolve().parent

# The agents are a folder among the files, and their kernels start among their own files.
c.ServerApp.contents_manager_class = "workbench.lab.drive.WorkbenchDrive"
c.ServerApp.kernel_manager_class = "workbench.lab.kernels.ScratchKernels"
c.ServerApp.session_manager_class = "workbench.lab.kernels.DriveSessions"
c.WorkbenchDrive.panel = str(here.parent / "notebooks" / "home.ipynb")
c.WorkbenchDrive.starters = str(here.parent / "notebooks" / "agents")

# The tile, the commands and the sidebar.
c.LabApp.extra_labextensions_path = [str(here / "lab" / "labextensions")]

# The token of its login: from a file only its user can read, for a command line is seen by all.
# Where JupyterHub starts it, JupyterHub lets people in.
if login := os.environ.pop("WORKBENCH_LOGIN_FILE", None):
    c.IdentityProvider.token = Path(login).read_text()
    # What kernels leave in their folders goes with the rest of the room that the login lies in.
    c.WorkbenchDrive.scratch = str(Path(login).parent / "scratch")

# Who uses the workbench opens the address that it prints.
c.ServerApp.open_browser = False

# A port that is taken is an error to be told, not a reason to listen elsewhere in silence.
c.ServerApp.port_retries = 0

# It must work without a network, and should not tell anybody that it is used.
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"

# Stopping is the workbench's to ask about, not every server's.
c.ServerApp.answer_yes = True

# Voilà has a process of its own, in which who looks at a page cannot run code.
c.ServerApp.jpserver_extensions = {"voila.server_extension": False, "workbench.lab": True}
