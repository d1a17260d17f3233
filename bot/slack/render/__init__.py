"""Cards as Block Kit."""
