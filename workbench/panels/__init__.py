"""Screens made of ipywidgets, for JupyterLab, a notebook cell and Voilà alike.

A panel holds a plain state and redraws from it; what it shows it asks the gateway for, through the
SDK, and never waits for it: whatever takes time is an errand on the kernel's own loop. A run lives
in the gateway: closing the page that shows it does not end it.

Nothing heavy may enter: what a panel imports, everybody who opens it waits for.
"""
