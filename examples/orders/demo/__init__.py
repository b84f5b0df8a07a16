"""The demo: the order service, watched, and what the server tells of it compared with what happened."""
