"""The row that stops the books: two functions write it, nobody else.

The posting statements look at it as they call the posting functions, so that a stop holds for
every statement that begins after it was committed.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION ledger_stop_postings(
    p_alarm_id uuid, p_invariant text, p_stopped_at timestamptz
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $body$
-- Answers whether the books were running before.
DECLARE
    v_writer text;
    v_stopped boolean;
BEGIN
    v_writer := set_config('ledger.writer', 'on', true);
    INSERT INTO ledger_stop (id, alarm_id, invariant, stopped_at)
    VALUES (1, p_alarm_id, p_invariant, p_stopped_at)
    ON CONFLICT DO NOTHING;
    v_stopped := FOUND;
    v_writer := set_config('ledger.writer', '', true);
    RETURN v_stopped;
END
$body$;
REVOKE EXECUTE ON FUNCTION ledger_stop_postings(uuid, text, timestamptz) FROM PUBLIC;

CREATE FUNCTION ledger_start_postings() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $body$
-- Answers whether the books were stopped before.
DECLARE
    v_writer text;
    v_started boolean;
BEGIN
    v_writer := set_config('ledger.writer', 'on', true);
    DELETE FROM ledger_stop;
    v_started := FOUND;
    v_writer := set_config('ledger.writer', '', true);
    RETURN v_started;
END
$body$;
REVOKE EXECUTE ON FUNCTION ledger_start_postings() FROM PUBLIC;

CREATE TRIGGER ledger_stop_guard
    BEFORE INSERT OR UPDATE OR DELETE ON ledger_stop FOR EACH STATEMENT
    WHEN (coalesce(current_setting('ledger.writer', true), '') <> 'on')
    EXECUTE FUNCTION ledger_refuse_write();
CREATE TRIGGER ledger_stop_truncate
    BEFORE TRUNCATE ON ledger_stop FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_write();
"""
DROP = """
DROP TRIGGER ledger_stop_truncate ON ledger_stop;
DROP TRIGGER ledger_stop_guard ON ledger_stop;
DROP FUNCTION ledger_start_postings();
DROP FUNCTION ledger_stop_postings(uuid, text, timestamptz);
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0030_watching")]
    operations = [migrations.RunSQL(CREATE, DROP)]
