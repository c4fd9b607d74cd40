"""Who asks, what they may see, and how much of it; no GraphQL."""
