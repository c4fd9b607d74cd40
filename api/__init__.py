"""GraphQL, HTTP and the command line: the only layer that knows the web and the environment."""
