"""Evidence: record what platforms answer, chain it, get time-stamps, export it and check it."""
