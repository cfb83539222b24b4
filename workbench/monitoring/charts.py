"""A judged window in three pictures, each a small PNG that every viewer shows, GitHub included.

Drawn on a `Figure` of their own, without pyplot: no global state, no backend, half the import.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from workbench.monitoring.windows import PREDICTION, WindowResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Chart", "drift", "predictions", "reliability"]

_INK, _PALE, _BLUE, _AMBER, _RED = "#24303c", "#c3ccd6", "#2f6fb0", "#e08a1e", "#c9352b"
_SHOWN = 24
_CLIP = 5.0


@dataclass(frozen=True)
class Chart:
    """A picture and the sentence that says what it shows."""

    png: bytes = field(repr=False)
    caption: str

    def _repr_png_(self) -> bytes:
        return self.png


def drift(result: WindowResult) -> Chart:
    """PSI of each column, largest first, with the threshold; bars end at five times of it."""
    known = sorted((d for d in result.drift if d.psi is not None), key=lambda d: -(d.psi or 0))
    shown = known[:_SHOWN][::-1]
    axes, figure = _axes(8, 0.9 + 0.28 * max(len(shown), 3))
    limit = result.spec.psi
    ignored = set(result.spec.ignore)
    for row, column in enumerate(shown):
        value = column.psi or 0.0
        allowed = result.spec.prediction_psi if column.column == PREDICTION else limit
        beyond = value > allowed and column.column not in ignored
        bar = min(value, _CLIP * limit)
        axes.barh(row, bar, height=0.66, color=_AMBER if beyond else _PALE)
        axes.text(bar + limit * 0.06, row, _psi_text(value, bar), va="center", fontsize=8)
    axes.axvline(limit, color=_RED, linewidth=1, linestyle=(0, (4, 3)))
    axes.set(yticks=range(len(shown)), yticklabels=[d.column for d in shown])
    longest = min(max([column.psi or 0.0 for column in shown], default=0.0), _CLIP * limit)
    axes.set(xlim=(0, max(longest, 1.5 * limit) * 1.12), xlabel="population stability index")
    return _chart(figure, axes, f"How far each column moved (allowed: {limit:g})")


def predictions(result: WindowResult) -> Chart:
    """Share of the rows by predicted probability: the reference's bins, then and now."""
    axes, figure = _axes(8, 3.2)
    reference = result.reference.columns.get(PREDICTION)
    if reference is None or not reference.finite:
        return _nothing(figure, axes, "The reference holds no predictions to compare with.")
    for column, label, colour, shift in (
        (reference, "reference", _PALE, -0.2),
        (result.current.columns[PREDICTION], "this window", _BLUE, 0.2),
    ):
        shares = [100 * count / max(column.finite, 1) for count in column.counts]
        axes.bar([i + shift for i in range(len(shares))], shares, 0.4, color=colour, label=label)
    axes.set(
        xticks=range(len(reference.counts)), ylabel="% of rows", xlabel="predicted probability"
    )
    axes.set_xticklabels(_bin_names(reference.cuts), fontsize=8)
    axes.legend(frameon=False, fontsize=8)
    return _chart(figure, axes, "Predictions, in the bins of the reference")


def reliability(result: WindowResult) -> Chart:
    """Observed share of positives against the mean prediction, in groups of like predictions."""
    axes, figure = _axes(4.6, 4.2)
    if not result.reliability:
        return _nothing(figure, axes, "No label is known yet.")
    predicted = [b.predicted for b in result.reliability]
    observed = [b.observed for b in result.reliability]
    top = max(*predicted, *observed) * 1.08 or 1.0
    axes.plot([0, top], [0, top], color=_PALE, linestyle=(0, (4, 3)), linewidth=1.5)
    axes.plot(predicted, observed, color=_BLUE, marker="o", markersize=5, linewidth=1.5)
    axes.set(xlim=(0, top), ylim=(0, top), xlabel="predicted", ylabel="observed", aspect="equal")
    return _chart(figure, axes, "Predicted against observed")


def _axes(width: float, height: float) -> tuple[Axes, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=100, facecolor="white", layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_PALE)
    axes.tick_params(colors=_INK, labelsize=8, length=0)
    return axes, figure


def _chart(figure: Any, axes: Axes, title: str) -> Chart:
    axes.set_title(title, loc="left", fontsize=10, color=_INK, fontweight="bold")
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    return Chart(buffer.getvalue(), title)


def _nothing(figure: Any, axes: Axes, message: str) -> Chart:
    axes.set_axis_off()
    axes.text(0.5, 0.5, message, ha="center", va="center", color=_INK, fontsize=10)
    return _chart(figure, axes, message)


def _psi_text(value: float, bar: float) -> str:
    return f"{value:.2f}" + (" ›" if value > bar else "")


def _bin_names(cuts: tuple[float, ...]) -> list[str]:
    if not cuts:
        return ["all"]
    between = [f"{a:.2f}–{b:.2f}" for a, b in pairwise(cuts)]
    return [f"≤ {cuts[0]:.2f}", *between, f"> {cuts[-1]:.2f}"]
