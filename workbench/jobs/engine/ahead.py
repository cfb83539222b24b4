"""What forking parents import, so that it is there in each job's process and each kernel.

Otherwise a job's process and ipykernel import it late, again in every fork. The schema of notebooks
is compiled here too: pure Python, which takes longer than reading a notebook.
"""

from __future__ import annotations

import importlib

from nbformat.validator import get_validator

__all__: list[str] = []

_LATE = (
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "IPython.utils.wildcard",
    "encodings.unicode_escape",
    "faulthandler",
    "ipykernel.kernelspec",
    "tornado.platform.asyncio",
    "workbench.jobs.engine.execution",
    "workbench.jobs.kernels.provisioner",
)

for _name in _LATE:
    importlib.import_module(_name)
for _minor in (4, 5):
    get_validator(4, _minor)
