"""The only client of the Atoms API: `client` has a method per endpoint, `transport` sends."""
