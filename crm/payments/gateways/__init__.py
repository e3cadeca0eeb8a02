"""Gateways: who takes the money, behind one protocol."""
