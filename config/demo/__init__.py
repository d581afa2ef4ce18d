"""One-click entry for the demo. Loading this package under production settings is refused."""
