"""The bounded HTTP client of all platforms, and the HTTP server of every surface."""
