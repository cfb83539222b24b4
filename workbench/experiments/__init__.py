"""A branch is an experiment: it starts, is compared, and is merged or dropped with its runs kept.

Git keeps the code and MLflow the runs; this is where the two meet.
"""
