"""What has changed, on its way to subscribers; no GraphQL."""
