"""The chain: edges written where things are read and written, asked in both directions."""
