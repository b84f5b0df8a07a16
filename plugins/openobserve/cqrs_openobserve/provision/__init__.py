"""The state that the server should be in, and the way there."""
