"""Find a page by what people call it."""
