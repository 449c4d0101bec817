# Voilà, where `workbench up` wants something else than its defaults.

import os
from pathlib import Path

c = get_config()

# Without a token everybody on this machine could open it; from a file only its user can read.
c.Voila.token = Path(os.environ.pop("WORKBENCH_LOGIN_FILE")).read_text()

c.Voila.open_browser = False
c.Voila.port_retries = 0

# The stock template waits for style sheets from the internet; ours has all it needs.
c.VoilaConfiguration.template = "workbench"
c.VoilaConfiguration.allow_template_override = "NO"

# Every other extension that is installed would be loaded on every page, used or not.
c.VoilaConfiguration.extension_allowlist = [
    "@jupyter-widgets/jupyterlab-manager",
    "@voila-dashboards/widgets-manager8",
]

# The page and nothing beside it: no files, and no view behind it when something fails.
c.VoilaConfiguration.file_allowlist = []
c.VoilaConfiguration.show_tracebacks = False

# A page that is closed leaves its kernel behind: Voilà refuses the farewell of the browser.
c.MappingKernelManager.cull_idle_timeout = 120
c.MappingKernelManager.cull_interval = 30

# A kernel that has run the page before its visitor came would know the visitor before.
c.VoilaConfiguration.preheat_kernel = False
