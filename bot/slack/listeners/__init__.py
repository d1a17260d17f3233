"""What arrives from Slack, one file for each surface."""
