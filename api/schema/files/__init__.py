"""The GraphQL schema of downloads: links that work once, without a token."""
