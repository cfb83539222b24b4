"""Runs: what a job or a notebook logged, in MLflow, where every tool can read it."""
