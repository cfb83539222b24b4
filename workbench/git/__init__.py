"""Git as the record of code: where we are, what changed, a branch for each experiment."""
