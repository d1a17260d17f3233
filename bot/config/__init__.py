"""Settings: declared once, and what is generated from them."""
