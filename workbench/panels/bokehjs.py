"""BokehJS from the installed package: what is drawn needs no internet."""

from __future__ import annotations

__all__ = ["script"]


def script() -> str:
    """Give JavaScript that brings BokehJS into a page, unless it is there.

    Only its core of 1.3 MB; `output_notebook` would add all of its components.
    """
    from bokeh.resources import Resources

    source = "\n".join(Resources(mode="inline", components=["bokeh"]).js_raw)
    return f"(function () {{ if (window.Bokeh) return;\n{source}\n}}).call(window);"
