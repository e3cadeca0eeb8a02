"""Tools: the only typed path from an agent to the stores, under policy and audit."""
