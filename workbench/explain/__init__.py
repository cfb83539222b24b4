"""Why a model says what it says: one call for the four libraries, additivity checked."""
