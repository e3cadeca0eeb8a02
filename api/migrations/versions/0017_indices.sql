-- Lists of a rare category or priority, the newest first, as every other filter of tickets has it.
CREATE INDEX tickets_category ON tickets (category, created_at DESC, id DESC);
CREATE INDEX tickets_priority ON tickets (priority, created_at DESC, id DESC);
