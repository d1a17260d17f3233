"""Rules as channels set them: thresholds, previews, alert types."""
