"""As SQL answers."""

from __future__ import annotations

from workbench.gates.parity.recorded import Answers, Recorded
from workbench.serving.sql import sql

__all__ = ["by_sql"]


def by_sql(recorded: Recorded) -> Answers:
    """Ask for a prediction of each row in a query."""
    several = recorded.answers.ndim == 2
    name = f"{recorded.name}/{recorded.version}".replace("'", "''")
    function = "predict_proba" if several else "predict"
    query = f"SELECT {function}('{name}', *) AS answer FROM recorded"
    answer = sql(query, recorded.project, tables={"recorded": recorded.rows})["answer"]
    return answer.struct.unnest().to_numpy() if several else answer.to_numpy()
