"""The browser console: pages that run GraphQL operations in process, and never read `models`."""
