"""What a unit of work leaves behind: events, records, results."""
