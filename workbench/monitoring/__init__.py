"""Live data and predictions against a reference, window by window."""
