"""Taking a key and looking for its answer, in one trip to the database.

In a function the two stay two statements, and the second sees what was committed before the first
got the key: written as one, it might have looked before the other request had committed.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION idempotency_take_key(
    p_lock bigint, p_user_id uuid, p_key text,
    OUT is_taken boolean, OUT method text, OUT path text, OUT request_hash text,
    OUT status smallint, OUT headers jsonb, OUT body text
)
LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
    is_taken := pg_try_advisory_xact_lock(p_lock);
    IF is_taken THEN
        SELECT k.method, k.path, k.request_hash, k.status, k.headers, k.body
          INTO method, path, request_hash, status, headers, body
          FROM idempotency_idempotencykey k
         WHERE k.user_id = p_user_id AND k.key = p_key;
    END IF;
END
$body$;
REVOKE EXECUTE ON FUNCTION idempotency_take_key(bigint, uuid, text) FROM PUBLIC;
"""
DROP = "DROP FUNCTION idempotency_take_key(bigint, uuid, text);"


class Migration(migrations.Migration):
    dependencies = [("idempotency", "0001_answers_by_key")]
    operations = [migrations.RunSQL(CREATE, DROP)]
