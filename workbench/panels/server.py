"""Voila as we start it: `python -m workbench.panels.server FOLDER [OPTIONS OF VOILA]`.

Everything is Voila's but the address it prints and opens: Voila's own leads to a login page when a
token is asked for, and to a list even where there is one dashboard.
"""

from __future__ import annotations

import sys
import webbrowser
from pathlib import Path
from urllib.parse import quote

from voila.app import Voila

__all__ = ["DashboardServer", "main"]


class DashboardServer(Voila):  # type: ignore[misc]  # Voila publishes no types
    """Voila that lands on the dashboard."""

    @property
    def display_url(self) -> str:
        """The address of the only dashboard, or of their list, with the token it takes."""
        home, _, query = super().display_url.partition("?")
        notebooks = sorted(Path(self.root_dir).glob("*.ipynb"))
        page = f"voila/render/{quote(notebooks[0].name)}" if len(notebooks) == 1 else ""
        return f"{home}{page}" + (f"?{query}" if query else "")

    def launch_browser(self) -> None:
        """Open that address."""
        webbrowser.open(self.display_url)


def main(arguments: list[str] | None = None) -> None:
    """Serve until interrupted."""
    DashboardServer.launch_instance(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
