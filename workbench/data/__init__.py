"""Sources of data by name; every read leaves its schema, row count and digest."""
