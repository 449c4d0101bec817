# Voilà, where `workbench up` wants something else than its defaults.

import os
from datetime import UTC, datetime
from pathlib import Path

from workbench.client.finding import gateway_of
from workbench.errors import Unavailable
from workbench.gallery.assets import Assets
from workbench.gallery.door import Door, OwnKernel
from workbench.gallery.entrance import Entrance, Place
from workbench.gallery.handlers import handlers
from workbench.gallery.kernels import PageKernels
from workbench.gallery.pages import POLICY, for_visitor, loading

c = get_config()

# What the owner's address carries: from a file only its user can read, for a command line is seen
# by all. Where the home is, no kernel is told.
_login = os.environ.pop("WORKBENCH_LOGIN_FILE", None)
_home = os.environ.pop("WORKBENCH_HOME", None)
_url = os.environ.pop("WORKBENCH_URL", None)


def _find():
    if _url:
        return Place(url=_url)
    found = gateway_of(Path(_home)) if _home else None
    if found is None:
        raise Unavailable("No gateway runs there.")
    return Place(url=found.url, token=found.token)


_extensions = [
    "@jupyter-widgets/jupyterlab-manager",
    "@voila-dashboards/widgets-manager8",
    "anywidget",
]
_assets = Assets.of_pages("workbench", _extensions)

# Whoever comes signs in with a token of the workbench's; nothing else lets anybody in.
c.Voila.identity_provider_class = Door
c.Voila.authorizer_class = OwnKernel
c.Door.entrance = Entrance(
    find=_find,
    login=Path(_login).read_text() if _login else "",
    clock=lambda: datetime.now(UTC),  # noqa: TID251 - this is where the clock is given
)
c.Door.pages = handlers(_assets)
c.VoilaConfiguration.prelaunch_hook = for_visitor
c.VoilaConfiguration.page_config_hook = loading(_assets)
c.VoilaConfiguration.multi_kernel_manager_class = PageKernels

c.Voila.open_browser = False
c.Voila.port_retries = 0
c.Voila.tornado_settings = {"headers": {"Content-Security-Policy": POLICY}}

# The stock template waits for style sheets from the internet; ours has all it needs.
c.VoilaConfiguration.template = "workbench"
c.VoilaConfiguration.allow_template_override = "NO"

# Every other extension that is installed would be loaded on every page, used or not.
c.VoilaConfiguration.extension_allowlist = _extensions

# The page and nothing beside it: no files, and no view behind it when something fails.
c.VoilaConfiguration.file_allowlist = []
c.VoilaConfiguration.show_tracebacks = False

# A page says farewell when it is closed; of one that could not, the kernel goes a little later.
c.MappingKernelManager.cull_idle_timeout = 120
c.MappingKernelManager.cull_interval = 30

# A kernel that has run the page before its visitor came would know the visitor before.
c.VoilaConfiguration.preheat_kernel = False
