"""The whole turn: two tool calls, policy, audit and persistence, without any model's time."""
