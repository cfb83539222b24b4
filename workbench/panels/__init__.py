"""View-models and their faces: the same numbers in a notebook, in Voila and in a file."""
