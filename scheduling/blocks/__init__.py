"""Free time as bits: what many providers' weeks look like, and which visits fit into them."""
