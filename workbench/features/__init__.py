"""Feature views: a definition once, values as they were known at any moment."""
