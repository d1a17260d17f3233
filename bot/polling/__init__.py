"""Read what is due: the cycle, its fetcher, its schedule."""
