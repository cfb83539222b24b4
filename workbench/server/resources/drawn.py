"""What is shown in a frame of its own: markup without a script, light and dark."""

from __future__ import annotations

import re
from html import escape
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.errors import NotebookError

__all__ = ["Drawn", "Shade", "executed_notebook"]

Shade = Literal["light", "dark"]

_MOST_BYTES = 30_000_000

_SCRIPT = re.compile(r"<script\b.*?</script\s*>", re.IGNORECASE | re.DOTALL)
"""What the frame wouldn't run anyway: without it the browser has nothing to complain of."""


class Drawn(BaseModel):
    """Something drawn: it goes into a frame in which nothing may run."""

    model_config = ConfigDict(frozen=True)

    title: str
    html: str = Field(description="markup with its style and its pictures in it, without a script")


def executed_notebook(title: str, text: str, shade: Shade) -> Drawn:
    """Draw an executed notebook. JupyterLab can't open it: it lies in a hidden folder.

    Raises
    ------
    NotebookError
        If it can't be drawn.
    """
    import nbformat
    from nbconvert import HTMLExporter

    if len(text) > _MOST_BYTES:
        raise NotebookError(f"{title}: {len(text):,} characters are too many to show")
    exporter = HTMLExporter(theme=shade, mathjax_url="", require_js_url="", jquery_url="")
    try:
        html, _ = exporter.from_notebook_node(nbformat.reads(text, as_version=4))
    except Exception as error:
        raise NotebookError(f"{title}: can't be drawn: {escape(str(error))[:500]}") from error
    return Drawn(title=title, html=_SCRIPT.sub("", html))
