"""One bounded HTTP client for every platform."""
