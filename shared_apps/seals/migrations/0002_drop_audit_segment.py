"""The one way in which audit entries go: a whole sealed segment, and only when it is old.

The organization's role may delete nothing in these tables, so this function runs as their owner.
It asks for what the service has checked as well: the segment is the oldest that is still there, a
note about it was written, every row of it is older than asked and older than a year, and all went.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION seals_drop_audit_segment(p_number bigint, p_before timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $body$
DECLARE
    v_rows bigint;
    v_gone bigint;
    v_setting text;
BEGIN
    SELECT s.rows INTO v_rows FROM seals_segment s WHERE s.chain = 'audit' AND s.number = p_number;
    IF v_rows IS NULL OR p_before > clock_timestamp() - interval '365 days'
       OR NOT EXISTS (SELECT FROM seals_droppedsegment d
                       WHERE d.chain = 'audit' AND d.number = p_number)
       OR EXISTS (SELECT FROM seals_entry e WHERE e.chain = 2 AND e.segment < p_number)
       OR EXISTS (SELECT FROM seals_entry e JOIN audit_entry a ON a.id = e.row_id
                   WHERE e.chain = 2 AND e.segment = p_number AND a.recorded_at >= p_before)
    THEN
        RAISE EXCEPTION 'the segment is not one that retention drops' USING ERRCODE = '42501';
    END IF;
    v_setting := set_config('seals.dropping', 'audit_entry', true);
    DELETE FROM audit_entry a USING seals_entry e
     WHERE e.chain = 2 AND e.segment = p_number AND a.id = e.row_id;
    GET DIAGNOSTICS v_gone = ROW_COUNT;
    IF v_gone <> v_rows THEN
        RAISE EXCEPTION 'the segment is not whole' USING ERRCODE = '42501';
    END IF;
    v_setting := set_config('seals.dropping', 'seals_entry', true);
    DELETE FROM seals_entry e WHERE e.chain = 2 AND e.segment = p_number;
    v_setting := set_config('seals.dropping', '', true);
    RETURN v_gone;
END
$body$;
REVOKE EXECUTE ON FUNCTION seals_drop_audit_segment(bigint, timestamptz) FROM PUBLIC;
"""
DROP = "DROP FUNCTION seals_drop_audit_segment(bigint, timestamptz);"


class Migration(migrations.Migration):
    dependencies = [("seals", "0001_segments_and_anchors"), ("audit", "0001_entries")]
    operations = [migrations.RunSQL(CREATE, DROP)]
