"""Voilà's side of the workbench: who may come in, and what the page that they get may do.

People who use agents sign in with a token of theirs, once, and get a page with a kernel of its own
that runs nothing but that page. All it can do is what its visitor may do over HTTP: it holds a
token of theirs that is good for hours, nothing of the workbench's own and no word of its home.

Voilà is set up from here by `server_config/voila.py`; nothing of Voilà is replaced.
"""
