"""The GraphQL schema of what is told to others: webhooks and their deliveries."""
