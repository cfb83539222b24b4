"""A job's cells as lines in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from workbench.cli.context import out

if TYPE_CHECKING:
    from workbench.jobs import Job
    from workbench.project import Project

__all__ = ["print_log"]


def print_log(project: Project, job: Job, *, follow: bool) -> None:
    """Print each cell's head and outputs; with `follow` until the job has ended."""
    from workbench.jobs import cell_sources, events

    sources = cell_sources(project, job.id)
    raised = False
    for event in events(project, job.id, follow=follow):
        if event["event"] == "end" and raised:
            continue  # its traceback said it
        raised = event.get("output", {}).get("output_type") == "error"
        line = _line(event, sources)
        if line is not None:
            out.print(line, end="" if event["event"] == "output" else "\n", soft_wrap=True)


def _line(event: dict[str, Any], sources: list[str]) -> Text | None:
    kind, cell = event["event"], event.get("cell")
    if kind == "start" and cell is not None:
        first = next(iter(sources[cell].strip().splitlines()), "") if cell < len(sources) else ""
        return Text(f"[{cell}/{len(sources)}] {first}", style="dim")
    if kind == "output":
        return _output(event["output"])
    if kind == "end" and event["status"] == "failed":
        return Text(str(event.get("error", "failed")), style="red")
    return None


def _output(output: dict[str, Any]) -> Text | None:
    if output["output_type"] == "stream":
        return Text.from_ansi(output["text"]) if output["text"].strip("\n") else None
    if output["output_type"] == "error":
        return Text.from_ansi("\n".join(output["traceback"]) + "\n")
    data = output.get("data", {})
    shown = data.get("text/plain")
    return Text(f"{shown}\n") if shown else Text(f"<{', '.join(data)}>\n", style="dim")
