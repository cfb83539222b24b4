"""Versions and the evidence on which an alias moves."""
