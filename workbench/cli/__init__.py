"""The `workbench` command: thin wiring over the modules.

Nouns have verbs (`models list`, `jobs show ID`); what lists or shows takes `--json`, which puts one
JSON document on standard output and nothing else. Exit codes: 0 done, 1 failed, 2 wrong use.
"""

from workbench.cli.app import main

__all__ = ["main"]
