"""How long scoring all leads takes, beside the least that it could."""
