from django.db import migrations

# Triggers that read no table: they hold where roles are refused, and on a sharded database.
FORWARD = """
CREATE FUNCTION public.refuse_organization_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP IN ('DELETE', 'TRUNCATE') THEN
    RAISE EXCEPTION 'organizations are closed, never deleted' USING ERRCODE = '42501';
  END IF;
  IF NEW.id <> OLD.id OR NEW.schema_name <> OLD.schema_name THEN
    RAISE EXCEPTION 'an organization keeps its id and its schema' USING ERRCODE = '42501';
  END IF;
  RETURN NEW;
END$$;
CREATE TRIGGER organization_identity BEFORE UPDATE OR DELETE ON tenants_organization
  FOR EACH ROW EXECUTE FUNCTION public.refuse_organization_change();
CREATE TRIGGER organization_truncate BEFORE TRUNCATE ON tenants_organization
  FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_organization_change();
"""
BACKWARD = """
DROP TRIGGER organization_truncate ON tenants_organization;
DROP TRIGGER organization_identity ON tenants_organization;
DROP FUNCTION public.refuse_organization_change();
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_organizations")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
