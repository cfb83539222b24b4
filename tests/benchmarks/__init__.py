"""Ours beside its peer, in one run on one machine: `make bench SECTION=demo`.

A section is a module in `sections/`: its docstring's first line says what is measured, and its
`figures()` yields a `Figure` for each case. Ratios travel between machines, absolute times don't.
"""
