"""The whole flights demo: `workbench demo` into an empty folder, on all real data, with the
package installed. `total` is wall time; `total_memory` the peak of the sum of PSS (shared pages
counted once) over the command and all its descendants, sampled as often as costs next to nothing,
ten times a second at most. No peer.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.benchmarks.processes import measured


def figures() -> Iterator[Figure]:
    """Run the demo once."""
    with tempfile.TemporaryDirectory() as folder:
        workbench = Path(sys.executable).with_name("workbench")
        usage = measured([workbench, "demo", Path(folder) / "flights-demo"])
    yield Figure("demo", "total", usage.seconds, "s")
    yield Figure("demo", "total_memory", usage.peak_mib, "MiB")
