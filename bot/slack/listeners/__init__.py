"""The Slack surfaces, one file each, in the folder of its kind, ending in ``LISTENER = …``."""
