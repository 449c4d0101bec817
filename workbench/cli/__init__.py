"""The command line: parse, ask one thing, print, and end with a number that says how it went.

A command asks a `Desk`, which is either the gateway that owns the home or, while there is none,
the same services in this process. Nothing is decided here that those do not decide; every sentence
a person reads is in `workbench.cli.printing`. This floor owns click and rich. What is heavy is
imported where it is needed, so that asking for help costs nothing.
"""
