# JupyterLab, where `workbench up` wants something else than its defaults.
# What it shows unless you choose otherwise in its own settings is in `lab/labconfig`.

import os
from pathlib import Path

c = get_config()

# The token of its login: from a file only its user can read, for a command line is seen by all.
c.IdentityProvider.token = Path(os.environ.pop("WORKBENCH_LOGIN_FILE")).read_text()

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
c.ServerApp.jpserver_extensions = {"voila.server_extension": False}
