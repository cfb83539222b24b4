"""A model version at work: rows in, rows out, each naming the version that scored it."""
