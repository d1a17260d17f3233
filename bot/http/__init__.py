"""The bounded HTTP client of all platforms."""
