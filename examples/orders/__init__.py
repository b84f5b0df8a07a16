"""An order service: the example of the documentation, the tests and the demo."""
