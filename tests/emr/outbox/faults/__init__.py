"""Workers that die while they tell a record system something."""
