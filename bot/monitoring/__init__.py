"""How Likewatch itself is doing: what it measures of itself, who is told, and what ends a cycle that hangs."""
