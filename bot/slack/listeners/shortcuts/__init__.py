"""Shortcuts. Each file declares one ``ShortcutListener``; there is none yet."""
