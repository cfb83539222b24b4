"""What a run records without a line of code: where it ran, on what, from which code and data.

`%load_ext workbench` starts it in a notebook; in a job the engine does. Each module catches one
part and knows nothing of the others; `notebook` puts them together.
"""
