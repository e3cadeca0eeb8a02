"""Agents: LangGraph graphs, the turn engine and language-model providers."""
