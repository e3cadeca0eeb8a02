-- Who asked for the call, and on which terms: it is made for them, not for whoever agrees.
ALTER TABLE next_actions ADD COLUMN asked jsonb;
ALTER TABLE next_actions ADD CHECK ((kind = 'approve') = (asked IS NOT NULL) OR status <> 'open');
