"""The commands, one file for each verb. To add one, add a file here that ends in ``COMMAND = Command(…)``."""
