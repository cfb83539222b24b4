"""What can be clicked in a panel, and the HTML that changes with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from workbench.errors import WorkbenchError
from workbench.panels.notebook.parts import failure

__all__ = ["Drawing", "button", "choice", "field", "refreshed", "row", "said", "switch"]

_LABEL = {"description_width": "initial"}


def field(label: str, value: str, placeholder: str, *, at_once: bool = False) -> Any:
    """Make a box to type into; unless `at_once`, it counts when Enter is pressed or it is left."""
    import ipywidgets as widgets

    return widgets.Text(
        value=value,
        description=label,
        placeholder=placeholder,
        continuous_update=at_once,
        style=_LABEL,
        layout=widgets.Layout(flex="1 1 260px", min_width="0"),
    )


def choice(label: str, options: Iterable[Any], value: Any, width: str = "auto") -> Any:
    """Make a list of which one is chosen."""
    import ipywidgets as widgets

    return widgets.Dropdown(
        options=list(options),
        value=value,
        description=label,
        style=_LABEL,
        layout=widgets.Layout(width=width, min_width="0"),
    )


def button(label: str, tooltip: str, icon: str = "") -> Any:
    """Make a button."""
    import ipywidgets as widgets

    return widgets.Button(
        description=label,
        tooltip=tooltip,
        icon=icon,
        layout=widgets.Layout(width="auto", flex="0 0 auto"),
    )


def switch(label: str, tooltip: str, *, value: bool = False, icon: str = "") -> Any:
    """Make a button that stays pressed."""
    import ipywidgets as widgets

    return widgets.ToggleButton(
        value=value,
        description=label,
        tooltip=tooltip,
        icon=icon,
        layout=widgets.Layout(width="auto", flex="0 0 auto"),
    )


def row(*parts: Any) -> Any:
    """Put controls beside each other, and below where there is no room."""
    import ipywidgets as widgets

    return widgets.HBox(parts, layout=widgets.Layout(flex_flow="row wrap", align_items="center"))


def said(render: Callable[[], str]) -> str:
    """Give what `render` gives; or, of what a person can mend, what went wrong."""
    try:
        return render()
    except WorkbenchError as error:
        return failure(str(error))


def refreshed(render: Callable[[], str], *controls: Any) -> Any:
    """Make HTML that is made anew when a control changes or a button among them is pressed."""
    import ipywidgets as widgets

    shown = widgets.HTML(said(render))

    def again(_: Any) -> None:
        shown.value = said(render)

    for control in controls:
        if isinstance(control, widgets.Button):
            control.on_click(again)
        else:
            control.observe(again, names="value")
    return shown


class Drawing:
    """Figures of Bokeh that come when a switch is pressed: until then nothing is sent for them.

    A press says that a browser is there. BokehJS goes to it by an output widget, which a browser
    obeys before it looks at what comes next, and is taken out again so that no file ever holds it.
    """

    def __init__(self, figures: Callable[[], list[Any]], label: str = "Draw") -> None:
        import ipywidgets as widgets

        self.switch = switch(label, "Figures that can be pointed at", icon="line-chart")
        self._figures = figures
        self._bokehjs = widgets.Output(layout=widgets.Layout(display="none"))
        self._place = widgets.VBox()
        self._problem = widgets.HTML()
        self._sent = False
        self.box = widgets.VBox([self._bokehjs, self._problem, self._place])
        self.switch.observe(self.draw, names="value")

    def draw(self, _: Any = None) -> None:
        """Draw what there is now, if the switch is pressed."""
        self._problem.value = ""
        if not self.switch.value:
            self._place.children = ()
            return
        try:
            from jupyter_bokeh import BokehModel
        except ImportError as error:
            missing = error.name or "jupyter_bokeh"
            hint = 'pip install "jupyter-workbench[dashboard]"'
            self._problem.value = failure(f"{missing} isn't installed: {hint}")
            return
        self._send_bokehjs()
        self._place.children = tuple(BokehModel(figure) for figure in self._figures())

    def _send_bokehjs(self) -> None:
        if self._sent:
            return
        from IPython.display import Javascript

        from workbench.panels import bokehjs

        self._bokehjs.append_display_data(Javascript(bokehjs.script()))
        self._bokehjs.outputs = ()
        self._sent = True
