"""Stripe: Checkout, refunds and signed webhooks through the official SDK."""
