"""What a change means: value objects, comparisons and the words an alert may use. Standard library only."""
