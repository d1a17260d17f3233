"""The comparisons, one file each. To add one, add a file here that ends in ``COMPARISON = Comparison(…)``."""
