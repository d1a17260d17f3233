"""Compose answers: one page, a board of rivals, two pages compared, help."""
