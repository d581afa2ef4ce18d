"""Who waits for time, and how time that comes free finds the right one of them."""
