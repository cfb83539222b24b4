"""`workbench init`, `lab`, `dashboard` and `doctor`: where one works, and whether all is well."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from workbench.cli.context import JsonOption, out, print_json, print_table, project, state_text
from workbench.errors import MissingExtraError

__all__ = ["dashboard", "doctor", "init", "lab"]

Port = Annotated[int, typer.Option(help="The port; another one if it is taken.")]
Browser = Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")]


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    template: Annotated[str, typer.Option(help="blank, or flights.")] = "blank",
) -> None:
    """Make a new project: a Git repository with workbench.toml."""
    from workbench.factory.scaffold import create_project

    made = create_project(directory, template)
    out.print(Text(f"project {made.name} in {made.root}"), soft_wrap=True)
    out.print(Text(f"  cd {directory} && workbench lab"), soft_wrap=True)


def lab(port: Port = 8888, browser: Browser = True) -> None:
    """Open JupyterLab on the project."""
    here = project()
    _require("jupyterlab", "lab")
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={here.root}"]
    command += [f"--ServerApp.port={port}"]
    if os.geteuid() == 0:
        command += ["--allow-root"]  # in a container one is root; whoever types this knows
    _serve(command if browser else [*command, "--no-browser"], here.root)


def dashboard(
    port: Port = 8866,
    browser: Browser = True,
    preheat: Annotated[bool, typer.Option(help="Keep a kernel ready: pages open faster.")] = False,
) -> None:
    """Serve the project's dashboards with Voila."""
    here = project()
    _require("voila", "dashboard")
    from workbench.panels.voila import voila_command, voila_environment

    command = voila_command(here, port=port, open_browser=browser, preheat=preheat)
    _serve(command, here.root, voila_environment(here))


def doctor(json_: JsonOption = False) -> None:
    """Check what Workbench needs, and say how to mend what is missing."""
    from workbench.cli.checkup import examine
    from workbench.cli.context import folder

    findings = examine(folder())
    if json_:
        print_json(findings)
    else:
        print_table(
            "Checkup",
            ("what", "", "found"),
            ((f.what, state_text(f.status), f.found) for f in findings),
            empty="",
        )
    if any(finding.status == "failed" for finding in findings):
        raise typer.Exit(1)


def _require(module: str, extra: str) -> None:
    import importlib.util

    if importlib.util.find_spec(module) is None:
        raise MissingExtraError.of(module, extra)


def _serve(command: list[str], root: Path, environment: dict[str, str] | None = None) -> None:
    """Run a server in the foreground until it is stopped, and end as it ended."""
    process = subprocess.Popen(command, cwd=root, env={**os.environ, **(environment or {})})
    try:
        code = process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        code = 0
    raise typer.Exit(1 if code else 0)
