"""Kernels and jobs that start warm: forked from a process that has imported what they will import.

Starting a kernel and importing what a notebook needs takes longer than most notebooks' own work. A
forking parent imports it once and executes none of it, which is what makes forking it safe; each
kernel is then a copy of that memory. Where it isn't safe or possible, an ordinary kernel is started
instead, and the reason is kept.
"""

from workbench.jobs.kernels.choice import Choice, chosen, prepare
from workbench.jobs.kernels.forked import ADDRESS_VARIABLE, ForkingParent
from workbench.jobs.kernels.handle import ForkedProcess, ForkingError
from workbench.jobs.kernels.preload import imported_by_kernel, learn, preload_list

__all__ = [
    "ADDRESS_VARIABLE",
    "Choice",
    "ForkedProcess",
    "ForkingError",
    "ForkingParent",
    "chosen",
    "imported_by_kernel",
    "learn",
    "preload_list",
    "prepare",
]
