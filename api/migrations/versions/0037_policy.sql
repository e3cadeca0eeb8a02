-- What agents are held to, as it stood from each moment on; version 0 comes with the product.
CREATE TABLE policy_versions (
    version    integer PRIMARY KEY CHECK (version > 0),
    text       text NOT NULL CHECK (text <> ''),
    note       text NOT NULL,
    staff_id   uuid REFERENCES staff (id),
    created_at timestamptz NOT NULL
);
CREATE TRIGGER policy_versions_append_only BEFORE UPDATE OR DELETE ON policy_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
