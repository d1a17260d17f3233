"""Readings and what is derived from them."""
