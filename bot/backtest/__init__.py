"""What the rules would have told of the past: of a history on disk, or of what the store remembers."""
