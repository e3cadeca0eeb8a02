-- Appends records to their chains in one call: what is hashed is what is stored.
-- A record comes as the text of `[header, sealed]`, cut where its number in the chain belongs.
CREATE FUNCTION append_audit(
    chains uuid[], kinds text[], befores text[], afters text[], genesis bytea, at timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    chain record;
    cut   record;
    head  record;
    whole text;
    parts jsonb;
    link  bytea;
BEGIN
    -- One order for all writers: two transactions that touch the same chains cannot deadlock.
    FOR chain IN
        SELECT c AS id, min(k) AS kind FROM unnest(chains, kinds) AS n (c, k) GROUP BY c ORDER BY c
    LOOP
        SELECT head_seq AS seq, head_hash AS hash INTO head FROM audit_chains
        WHERE chain_id = chain.id FOR UPDATE;
        IF NOT FOUND THEN
            INSERT INTO audit_chains (chain_id, kind, head_seq, head_hash, updated_at)
            VALUES (chain.id, chain.kind, 0, genesis, at) ON CONFLICT (chain_id) DO NOTHING;
            SELECT head_seq AS seq, head_hash AS hash INTO head FROM audit_chains
            WHERE chain_id = chain.id FOR UPDATE;
        END IF;
        FOR cut IN
            SELECT b AS before, a AS after
            FROM unnest(chains, befores, afters) WITH ORDINALITY AS n (c, b, a, position)
            WHERE c = chain.id ORDER BY position
        LOOP
            head.seq := head.seq + 1;
            whole := cut.before || head.seq || cut.after;
            parts := whole;
            link := sha256(head.hash || convert_to(whole, 'UTF8'));
            INSERT INTO audit_events SELECT r.* FROM jsonb_populate_record(
                NULL::audit_events,
                (parts -> 0) || jsonb_build_object(
                    'arguments_digest', '\x' || (parts -> 0 ->> 'arguments_digest'),
                    'sealed', parts -> 1,
                    'prev_hash', '\x' || encode(head.hash, 'hex'),
                    'hash', '\x' || encode(link, 'hex')
                )
            ) AS r;
            head.hash := link;
        END LOOP;
        UPDATE audit_chains SET head_seq = head.seq, head_hash = head.hash, updated_at = at
        WHERE chain_id = chain.id;
    END LOOP;
END $$;
