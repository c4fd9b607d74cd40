"""GraphQL of files on their way in: received, previewed, made into imports."""
