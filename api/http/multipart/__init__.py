"""GraphQL multipart requests, parsed as they arrive: an operation and its file."""
