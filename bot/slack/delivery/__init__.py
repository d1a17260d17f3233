"""Post alerts and notices, and lose none."""
