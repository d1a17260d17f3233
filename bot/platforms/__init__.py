"""The platforms whose pages are watched, one file each (``PLATFORM = Platform(…)``), and what they share."""
