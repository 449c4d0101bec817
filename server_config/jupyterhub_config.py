# JupyterHub, where several authors each have a JupyterLab of their own and share one gateway.
# Use it as it is, or load it from a configuration of yours: `load_subconfig("…")`.

import os
from pathlib import Path

c = get_config()

# Where `workbench serve` answers; its own `hub_url` names this Hub's API.
gateway = os.environ.get("WORKBENCH_URL", "http://127.0.0.1:8890")

# A name for what the gateway is: tokens must have the scope to use it.
c.JupyterHub.services = [{"name": "workbench"}]
_use = "access:services!service=workbench"

# Whoever is a user here is an author there. Their JupyterLab speaks for them, and so may programs
# of theirs with a token from the Hub's own page.
c.JupyterHub.load_roles = [
    {"name": "user", "scopes": ["self", _use]},
    {"name": "server", "scopes": ["users:activity!user", "access:servers!server", _use]},
]

# No secret is among this: the token that a server shows to the gateway is the one the Hub gave it.
c.Spawner.environment = {"WORKBENCH_URL": gateway}
c.Spawner.default_url = "/lab"
c.Spawner.args = [f"--config={Path(__file__).resolve().with_name('jupyter_lab_config.py')}"]
