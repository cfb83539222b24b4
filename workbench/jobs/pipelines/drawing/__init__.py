"""A pipeline as a picture: one layout, drawn as SVG or with the characters of a terminal."""

from workbench.jobs.pipelines.drawing.svg import svg
from workbench.jobs.pipelines.drawing.text import text

__all__ = ["svg", "text"]
