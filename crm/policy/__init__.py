"""The institution's policy: one text that its agents are held to, in versions."""
