"""The `workbench` command: thin wiring over the modules."""
