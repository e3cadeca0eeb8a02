"""Outbound: messages that leave by e-mail or SMS, each sent once and only with a basis."""
