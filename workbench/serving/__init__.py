"""A model version at work: rows in, rows out, each naming the version that scored it."""

from workbench.serving.batch import (
    Prediction,
    list_predictions,
    read_predictions,
    score_window,
    scored_frame,
)

__all__ = ["Prediction", "list_predictions", "read_predictions", "score_window", "scored_frame"]
