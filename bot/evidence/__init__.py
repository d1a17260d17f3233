"""Evidence: what was received is kept, chained, stamped by others, exported and checked."""
