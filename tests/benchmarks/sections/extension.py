"""The sidebar in JupyterLab in Chromium, on this machine, server and browser sharing its cores.

`start_added` is what it adds to the time from a navigation to JupyterLab's `app.restored`: the
median difference of pairs of loads, with it and without, from two servers in turns that have no
other extension, the browser's cache warm; `start_without` is JupyterLab alone. `bundle` is all of
its JavaScript as gzip leaves it, with nbdime's renderer, which is loaded when a difference is first
looked at.

`runs`, `features` and `jobs` are from the command that shows a panel in the main area to the frame
after the one in which its first row stands, everything being asked of the server, in a project of
100,000 runs, a million features and 500 jobs. `first` is in a page that hasn't shown it yet,
`again` after its tab was closed, both medians on a server that has read the stores before; `cold`
is the first time in the life of the server, which then opens them. No peer.
"""

from __future__ import annotations

import gzip
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.benchmarks.figures import Figure
from tests.browser.conftest import BUNDLE, CHROMIUM_ARGS, chromium, jupyter_lab
from tests.large import large_project
from tests.server.running import Jupyter

LOADS, SHOWINGS = 15, 9
REST = 1000  # ms, in which what else was asked for comes
PANELS = ("runs", "features", "jobs")

# When JupyterLab was restored, in milliseconds since the navigation.
_WATCH = """Object.defineProperty(window, 'jupyterapp', {
  configurable: true,
  set(app) {
    Object.defineProperty(window, 'jupyterapp', {value: app});
    app.restored.then(() => { window.restoredAt = performance.now(); });
  }
})"""

# Show a panel, and say after how many milliseconds its first row was drawn.
_SHOW = """async name => {
  const began = performance.now();
  const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
  const row = `#jupyter-workbench-${name} [aria-posinset="1"]`;
  void window.jupyterapp.commands.execute(`workbench:open-${name}`);
  while (!document.querySelector(row)?.offsetHeight) {
    await frame();
  }
  await frame();
  return performance.now() - began;
}"""


def figures(loads: int = LOADS, showings: int = SHOWINGS) -> Iterator[Figure]:
    """Measure the start, the bundle, then the panels."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = chromium(Path(playwright.chromium.executable_path))
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        yield from _start(browser, folder / "start", loads)
        yield from _bundle()
        yield from _panels(browser, folder / "panels", showings)


def _start(browser: Browser, folder: Path, loads: int) -> Iterator[Figure]:
    """Load JupyterLab with and without, in turns; the first load of each fills the cache."""
    (folder / "served").mkdir(parents=True)
    (folder / "none").mkdir()
    alone = f"--LabApp.labextensions_path={folder / 'none'}"  # nothing that is installed here
    with ExitStack() as stack:
        pages = []
        for has_ours in (True, False):
            own = folder / str(has_ours)
            server = stack.enter_context(
                jupyter_lab(own, folder / "served", alone, has_ours=has_ours)
            )
            pages.append((stack.enter_context(_context(browser)), server, has_ours))
        taken = [[_load(*page) for page in pages] for _ in range(loads + 1)][1:]
    yield Figure("extension", "start_added", statistics.median(a - b for a, b in taken), "ms")
    yield Figure("extension", "start_without", statistics.median(b for _, b in taken), "ms")


@contextmanager
def _context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.add_init_script(_WATCH)
    try:
        yield context
    finally:
        context.close()


def _load(context: BrowserContext, server: Jupyter, has_ours: bool) -> float:  # noqa: FBT001
    page = _opened(context, server)
    taken = float(page.evaluate("() => window.restoredAt"))
    plugins = page.evaluate("() => window.jupyterapp.hasPlugin('jupyter-workbench:sidebar')")
    assert plugins is has_ours
    page.close()
    return taken


def _opened(context: BrowserContext, server: Jupyter) -> Page:
    page = context.new_page()
    page.goto(f"{server.url}lab?token={server.token}&reset", wait_until="commit")
    page.wait_for_function("() => window.restoredAt", timeout=120_000)
    return page


def _bundle() -> Iterator[Figure]:
    files = (BUNDLE / "static").glob("*.js")
    size = sum(len(gzip.compress(path.read_bytes())) for path in files)
    yield Figure("extension", "bundle", size / 1000, "kB")


def _panels(browser: Browser, folder: Path, showings: int) -> Iterator[Figure]:
    large_project(folder / "served" / "large")
    with jupyter_lab(folder / "own", folder / "served") as server, _context(browser) as context:
        cold = _shown(context, server)
        taken = [_shown(context, server) for _ in range(showings)]
    for name in PANELS:
        yield Figure("extension", f"{name}_cold", cold[name][0], "ms")
        for place, case in enumerate(("first", "again")):
            median = statistics.median(shown[name][place] for shown in taken)
            yield Figure("extension", f"{name}_{case}", median, "ms")


def _shown(context: BrowserContext, server: Jupyter) -> dict[str, tuple[float, float]]:
    """Show each panel twice in a new page, the others closed and the page at rest."""
    page = _opened(context, server)
    page.evaluate(
        "() => window.jupyterapp.commands.execute('filebrowser:go-to-path', {path: '/large'})"
    )
    taken = {}
    for name in PANELS:
        both = []
        for _ in range(2):
            page.wait_for_timeout(REST)
            both.append(float(page.evaluate(_SHOW, name)))
            page.wait_for_timeout(REST)
            page.evaluate("() => window.jupyterapp.shell.closeAll()")
        taken[name] = (both[0], both[1])
    page.close()
    return taken
