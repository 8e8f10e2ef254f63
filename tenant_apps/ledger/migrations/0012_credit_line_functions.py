"""Credit lines change by these functions alone: one conditional statement decides, one row tells.

Who changes several lines in one transaction does it in the order of their rank and id. The line's
autovacuum is the balances': a supplier's line is as hot.
"""

from django.db import migrations

CREATE = """
ALTER TABLE ledger_creditline SET (
    fillfactor = 60,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0
);
CREATE TRIGGER ledger_creditline_guard
    BEFORE INSERT OR UPDATE OR DELETE ON ledger_creditline FOR EACH STATEMENT
    WHEN (coalesce(current_setting('ledger.writer', true), '') <> 'on')
    EXECUTE FUNCTION ledger_refuse_write();
CREATE TRIGGER ledger_creditline_truncate
    BEFORE TRUNCATE ON ledger_creditline FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_write();
CREATE TRIGGER ledger_creditlineentry_guard
    BEFORE INSERT ON ledger_creditlineentry FOR EACH STATEMENT
    WHEN (coalesce(current_setting('ledger.writer', true), '') <> 'on')
    EXECUTE FUNCTION ledger_refuse_write();
CREATE TRIGGER ledger_creditlineentry_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_creditlineentry FOR EACH STATEMENT
    EXECUTE FUNCTION ledger_refuse_write();

CREATE FUNCTION ledger_open_credit_line(
    p_line uuid, p_subject_type text, p_subject_id uuid, p_currency text, p_lock_rank smallint
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $body$
-- Lines are opened without a limit and with nothing used; answers whether this one was new.
DECLARE
    v_writer text;
    v_opened boolean;
BEGIN
    v_writer := set_config('ledger.writer', 'on', true);
    INSERT INTO ledger_creditline (
        id, subject_type, subject_id, currency, limit_minor, grandfathered_minor, used_minor,
        held_minor, version, lock_rank)
    VALUES (p_line, p_subject_type, p_subject_id, p_currency, NULL, 0, 0, 0, 0, p_lock_rank)
    ON CONFLICT DO NOTHING;
    v_opened := FOUND;
    v_writer := set_config('ledger.writer', '', true);
    RETURN v_opened;
END
$body$;
REVOKE EXECUTE ON FUNCTION ledger_open_credit_line(uuid, text, uuid, text, smallint) FROM PUBLIC;

CREATE FUNCTION ledger_change_credit_line(
    p_id uuid, p_request_hash bytea, p_line uuid, p_kind text, p_used bigint, p_held bigint,
    p_limit bigint, p_effective_on date, p_source_type text, p_source_id uuid, p_reason text,
    p_actor_id uuid, p_recorded_at timestamptz, OUT replayed boolean
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $body$
-- 'limit' sets the limit (NULL takes it away); every other kind adds to what is used and held.
-- 'override' may pass the limit.
DECLARE
    v_line ledger_creditline%ROWTYPE;
    v_before ledger_creditline%ROWTYPE;
    v_known bytea;
    v_writer text;
BEGIN
    replayed := false;
    SELECT * INTO v_before FROM ledger_creditline l WHERE l.id = p_line FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no such credit line'
            USING ERRCODE = 'KL012', DETAIL = p_line::text;
    END IF;
    SELECT e.request_hash INTO v_known FROM ledger_creditlineentry e WHERE e.id = p_id;
    IF FOUND THEN
        IF v_known <> p_request_hash THEN
            RAISE EXCEPTION 'this id belongs to another request'
                USING ERRCODE = 'KL002', DETAIL = p_id::text;
        END IF;
        replayed := true;
        RETURN;
    END IF;
    v_line := v_before;
    v_line.version := v_line.version + 1;
    v_line.used_minor := v_line.used_minor + p_used;
    v_line.held_minor := v_line.held_minor + p_held;
    IF p_kind = 'limit' THEN
        v_line.limit_minor := p_limit;
    END IF;
    IF v_line.used_minor < 0 OR v_line.held_minor < 0 THEN
        RAISE EXCEPTION 'less is used or held than is to be given back'
            USING ERRCODE = 'KL014', DETAIL = p_line::text;
    ELSIF v_line.used_minor + v_line.held_minor <= coalesce(v_line.limit_minor, 0)
          OR v_line.limit_minor IS NULL THEN
        v_line.grandfathered_minor := 0;
    ELSIF p_kind IN ('limit', 'override') THEN
        v_line.grandfathered_minor := v_line.used_minor + v_line.held_minor;
    ELSIF p_used + p_held <= 0 THEN
        v_line.grandfathered_minor := least(
            v_line.grandfathered_minor, v_line.used_minor + v_line.held_minor);
    ELSE
        RAISE EXCEPTION 'above the limit' USING ERRCODE = 'KL013', DETAIL =
            v_before.limit_minor || ' ' || v_before.used_minor || ' ' || v_before.held_minor;
    END IF;
    v_writer := set_config('ledger.writer', 'on', true);
    UPDATE ledger_creditline l
       SET limit_minor = v_line.limit_minor, grandfathered_minor = v_line.grandfathered_minor,
           used_minor = v_line.used_minor, held_minor = v_line.held_minor,
           version = v_line.version
     WHERE l.id = p_line;
    INSERT INTO ledger_creditlineentry (
        id, request_hash, line_id, version, kind, used_change, held_change, limit_minor,
        grandfathered_minor, used_minor, held_minor, currency, effective_on, recorded_at,
        source_type, source_id, reason, actor_id)
    VALUES (
        p_id, p_request_hash, p_line, v_line.version, p_kind, p_used, p_held, v_line.limit_minor,
        v_line.grandfathered_minor, v_line.used_minor, v_line.held_minor, v_line.currency,
        p_effective_on, p_recorded_at, p_source_type, p_source_id, p_reason, p_actor_id);
    v_writer := set_config('ledger.writer', '', true);
END
$body$;
REVOKE EXECUTE ON FUNCTION ledger_change_credit_line(
    uuid, bytea, uuid, text, bigint, bigint, bigint, date, text, uuid, text, uuid, timestamptz)
    FROM PUBLIC;
"""
DROP = """
DROP FUNCTION ledger_change_credit_line(
    uuid, bytea, uuid, text, bigint, bigint, bigint, date, text, uuid, text, uuid, timestamptz);
DROP FUNCTION ledger_open_credit_line(uuid, text, uuid, text, smallint);
DROP TRIGGER ledger_creditlineentry_append_only ON ledger_creditlineentry;
DROP TRIGGER ledger_creditlineentry_guard ON ledger_creditlineentry;
DROP TRIGGER ledger_creditline_truncate ON ledger_creditline;
DROP TRIGGER ledger_creditline_guard ON ledger_creditline;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0011_credit_lines")]
    operations = [migrations.RunSQL(CREATE, DROP)]
