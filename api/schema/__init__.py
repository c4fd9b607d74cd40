"""The GraphQL schema: one file a noun, and what operations can begin with; no HTTP."""
