"""`python -m workbench`, which is `workbench`."""

from workbench.cli.main import main

main(prog_name="workbench")
