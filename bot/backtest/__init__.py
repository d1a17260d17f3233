"""Which alerts the rules would have raised before: on a folder of CSV files, or on the readings in the store."""
