"""Submitted forms. Each file declares one ``ViewListener``; there is none yet."""
