"""SLA clocks: how long something may wait, in business hours."""
