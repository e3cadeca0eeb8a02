-- What is past its time is found by its age.
CREATE INDEX staff_sessions_expiry ON staff_sessions (expires_at);
CREATE INDEX chat_sessions_expiry ON chat_sessions (expires_at);
CREATE INDEX verification_codes_age ON verification_codes (created_at);
CREATE INDEX outbound_messages_closed ON outbound_messages (created_at) WHERE status <> 'intent';
