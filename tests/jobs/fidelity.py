"""Notebooks written to show whether an engine loses, changes or reorders anything."""

from __future__ import annotations

from typing import Any

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from tests.jobs.notebooks import KERNEL

_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)


def _tagged(source: str, *tags: str) -> Any:
    return new_code_cell(source, metadata={"tags": list(tags)})


_ATTACHED = new_markdown_cell(
    "![dot](attachment:dot.png)", attachments={"dot.png": {"image/png": _PNG}}
)

NOTEBOOKS: dict[str, list[Any]] = {
    "streams": [
        "print('out')",
        "import sys\nfor i in range(4):\n    print('out', i, flush=True)\n"
        "    print('err', i, file=sys.stderr, flush=True)",
        "import subprocess\nsubprocess.run(['echo', 'from a child'])",
        "import os\nos.write(1, b'by descriptor\\n')",
        "print('no line break', end='')\nprint('\\rover it\\b!')",
        "print('ünïcödé', '\\U0001f40d', '\\x1b[31mred\\x1b[0m')",
        "for i in range(3000):\n    print('a long line of text', i)",
        "",
        "   \n",
    ],
    "rich": [
        "from IPython.display import HTML, JSON, Image, Latex, Markdown, SVG, display",
        "display(HTML('<b>bold</b>'), Markdown('*it*'), Latex('$x$'))\nJSON({'a': [1, None, 2.5]})",
        f"import base64\nImage(base64.b64decode('{_PNG}'), metadata={{'width': 7}})",
        "SVG('<svg xmlns=\"http://www.w3.org/2000/svg\"><rect/></svg>')",
        "class Both:\n    def _repr_mimebundle_(self, **_):\n"
        "        data = {'text/plain': 'p', 'application/x-own+json': {'k': 1}}\n"
        "        return data, {'text/plain': {'m': 1}}\n"
        "Both()",
        "print('before')\ndisplay(1)\nprint('after')\n2",
        "'a value'",
        "None",
        "_ = 5; _",
    ],
    "updates": [
        "from IPython.display import clear_output, display, update_display\n"
        "handle = display('one', display_id='shared')",
        "display('two', display_id='shared')",
        "print('text')\nupdate_display('three', display_id='shared')",
        "handle.update({'a': 1})\nupdate_display('nobody', display_id='unknown')",
        "print('gone')\nclear_output()\nprint('stays')",
        "print('replaced')\nclear_output(wait=True)\nprint('by this')",
        "print('stays too')\nclear_output(wait=True)",
        "display('here', display_id='cleared')\nclear_output()\n"
        "update_display('not shown', display_id='cleared')",
        "for i in range(5):\n    clear_output(wait=True)\n    display(i)",
        "display('last', display_id='shared')",
    ],
    "widgets": [
        "import ipywidgets as w\nfrom IPython.display import display",
        "slider = w.IntSlider(3, description='n')\nslider",
        "slider.value = 7\nbox = w.HBox([slider, w.Label('a label')])\nbox",
        "out = w.Output()\nwith out:\n    print('caught')\n    display('shown inside')\nout",
        "print('outside')",
        "w.Image(value=bytes(range(16)), format='png')",
    ],
    "kinds": [
        new_markdown_cell("# Title"),
        _ATTACHED,
        new_raw_cell("raw *text*"),
        _tagged("skipped = 1", "skip-execution"),
        _tagged("1 / 0", "raises-exception"),
        _tagged("def f(:", "raises-exception"),
        _tagged("'skipped' in globals()", "parameters"),
        "%%bash\necho from bash",
        "x = 1;",
        "?print",
        "import warnings\nwarnings.warn('careful')",
    ],
    "error": [
        new_markdown_cell("# It fails"),
        "print('before')",
        "print('in it')\nraise ValueError('bad value\\nand a second line')",
        "never = 1",
    ],
}


def notebook(name: str) -> Any:
    """Build one of them."""
    cells = [new_code_cell(c) if isinstance(c, str) else c for c in NOTEBOOKS[name]]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return new_notebook(cells=cells, metadata=KERNEL)
