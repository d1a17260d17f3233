"""Render cards and charts as Block Kit."""
