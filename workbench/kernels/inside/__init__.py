"""What happens inside the sandbox before agents' code does.

These modules are imported where nothing else of the workbench is within reach: by the template
that kernels are forked from, and by what stands in front of every other kernel. They know the
standard library and `workbench.domain`, no more; `lean` alone knows ipykernel too.
"""
