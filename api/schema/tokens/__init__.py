"""GraphQL of tokens: listed, created and revoked by the tokens that may."""
