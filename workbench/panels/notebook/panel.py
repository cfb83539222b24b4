"""A panel as a cell shows it: still where it is a record, alive where there is somebody to ask.

JupyterLab shows no other form of an output that has a widget, even where the widget is gone. So
the still form is an output of its own, which the living widget hides by its style; without it, in a
saved notebook or on a Git forge, the still form is what there is.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from workbench.errors import MissingExtraError
from workbench.monitoring.records import JOB_VARIABLE
from workbench.panels.notebook.parts import fragment, part, style

__all__ = ["LARGEST", "Panel", "Still"]

LARGEST = 290_000
"""Bytes that a panel adds to a notebook at the most."""

_WIDGET = "application/vnd.jupyter.widget-view+json"

# The output after the still one is the widget's; where that can't be, its error is no news.
_STILL = (
    "<style>.jp-OutputArea-child:has(.wb-still-{key})+.jp-OutputArea-child:not(:has(.wb-live-{key}))"
    "{{display:none}}</style>"
)
_LIVE = "<style>.jp-OutputArea-child:has(.wb-still-{key}),.wb-still-{key}{{display:none}}</style>"


@dataclass(frozen=True)
class Still:
    """What stays in a notebook: HTML (its style comes later), a PNG if there is one, and words."""

    html: str
    png: bytes | None
    text: str


class Panel:
    """A view of the project's records: the last value of a cell, or `display(panel)`."""

    def __init__(
        self, still: Still, build: Callable[[], list[Any]], *, live: bool | None = None
    ) -> None:
        self._still = still
        self._build = build
        self._live = live
        self._key = uuid4().hex[:12]
        self._widget: Any = None

    @property
    def html(self) -> str:
        """The still form as a piece of a page, which needs nothing else."""
        return fragment(self._still.html)

    @property
    def png(self) -> bytes | None:
        """The picture, if there is something to draw."""
        return self._still.png

    @property
    def widget(self) -> Any:
        """The living form, an ipywidgets box.

        Raises
        ------
        MissingExtraError
            If the extra `dashboard` isn't installed.
        """
        if self._widget is None:
            if not _can_live():
                raise MissingExtraError.of("ipywidgets", "dashboard")
            import ipywidgets as widgets

            sheet = widgets.HTML(style() + _LIVE.format(key=self._key))
            self._widget = widgets.VBox([sheet, *self._build()])
            for name in ("wb-panel", f"wb-live-{self._key}"):
                self._widget.add_class(name)
        return self._widget

    def __repr__(self) -> str:
        return self._still.text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Give every form at once, for who asks for one output."""
        return {**self._bundle(), **(self._view() if self._is_live() else {})}

    def _ipython_display_(self) -> None:
        from IPython.display import display

        if not self._is_live():
            display(self._bundle(picture=False), raw=True)
            if self._kept_png():  # of its own: some forges show no HTML, and others no picture
                name = self._still.text.partition("\n")[0]
                picture = {"text/plain": f"{name} (picture)", "image/png": self._kept_png()}
                display(picture, raw=True)
            return
        display(self._bundle(hint=_STILL.format(key=self._key)), raw=True)
        display(self._view(), raw=True)

    def _bundle(self, hint: str = "", *, picture: bool = True) -> dict[str, Any]:
        still = f"<div class='wb-still-{self._key}'>{hint}{self._kept_html()}</div>"
        png = self._kept_png() if picture else None
        found = {"text/plain": self._still.text, "text/html": still}
        return {**found, **({"image/png": png} if png else {})}

    def _view(self) -> dict[str, Any]:
        model = self.widget.model_id
        return {_WIDGET: {"version_major": 2, "version_minor": 0, "model_id": model}}

    def _kept_html(self) -> str:
        if _written(self.html) + _written(self._still.text) <= LARGEST:
            return self.html
        return fragment(part("<p class='wb-quiet'>Too large for a notebook's file.</p>"))

    def _kept_png(self) -> bytes | None:
        png = self._still.png
        room = LARGEST - _written(self._kept_html()) - _written(self._still.text)
        return png if png and len(png) * 4 / 3 <= room else None

    def _is_live(self) -> bool:
        return _is_kernel() and _can_live() if self._live is None else self._live


def _can_live() -> bool:
    return importlib.util.find_spec("ipywidgets") is not None


def _is_kernel() -> bool:
    """Tell whether somebody may sit before this process: nobody does before a job."""
    if os.environ.get(JOB_VARIABLE):
        return False
    from IPython.core.getipython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None


def _written(text: str) -> int:
    """Count what a text takes in a notebook's file."""
    return len(json.dumps(text, ensure_ascii=False).encode())
