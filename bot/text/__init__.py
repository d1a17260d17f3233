"""Numbers, durations, countries as people write them."""
