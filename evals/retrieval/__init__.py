"""The suite `retrieval`: what is found, at which rank, and what is refused."""
