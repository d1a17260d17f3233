"""Buttons and menus. Each file declares one ``ActionListener``."""
