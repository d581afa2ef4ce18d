"""What is told to record systems: written with each change, sent in order, never twice."""
