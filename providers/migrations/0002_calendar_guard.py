"""Every provider has a calendar, and no change of free time commits without bumping it."""

from django.db import migrations

CALENDAR_WITH_PROVIDER = """
CREATE FUNCTION daysheet_make_calendar() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO providers_providercalendar (provider_id, version, stamp)
    VALUES (NEW.id, 0, ('x' || left(md5(gen_random_uuid()::text), 16))::bit(64)::bigint);
    RETURN NULL;
END $$;
CREATE TRIGGER provider_makes_calendar AFTER INSERT ON providers_provider
    FOR EACH ROW EXECUTE FUNCTION daysheet_make_calendar();
"""

REQUIRE_BUMP = """
CREATE FUNCTION daysheet_require_bump(provider uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM providers_providercalendar
        WHERE provider_id = provider AND bumped_by = pg_current_xact_id()
    ) OR NOT EXISTS (SELECT FROM providers_provider WHERE id = provider) THEN
        RETURN;
    END IF;
    RAISE EXCEPTION 'free time of provider % changed without bumping its calendar', provider
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'provider_calendar_bumped';
END $$;

CREATE FUNCTION daysheet_guard_provider_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        PERFORM daysheet_require_bump(NEW.provider_id);
    END IF;
    IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND OLD.provider_id <> NEW.provider_id) THEN
        PERFORM daysheet_require_bump(OLD.provider_id);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION daysheet_guard_clinic(clinic uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM daysheet_require_bump(id) FROM (
        SELECT id FROM providers_provider WHERE clinic_id = clinic
        UNION SELECT provider_id FROM providers_providerschedule WHERE clinic_id = clinic
    ) AS concerned;
END $$;

CREATE FUNCTION daysheet_guard_closure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        PERFORM daysheet_guard_clinic(NEW.clinic_id);
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM daysheet_guard_clinic(OLD.clinic_id);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION daysheet_guard_clinic_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM daysheet_guard_clinic(NEW.id);
    RETURN NULL;
END $$;

CREATE FUNCTION daysheet_guard_provider_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM daysheet_require_bump(NEW.id);
    RETURN NULL;
END $$;

CREATE FUNCTION daysheet_guard_allowed_type() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE window_id uuid;
BEGIN
    window_id := CASE TG_OP WHEN 'DELETE' THEN OLD.providerschedule_id
                 ELSE NEW.providerschedule_id END;
    PERFORM daysheet_require_bump(provider_id)
    FROM providers_providerschedule WHERE id = window_id;
    RETURN NULL;
END $$;
"""

GUARDS = """
CREATE CONSTRAINT TRIGGER schedule_bumps AFTER INSERT OR UPDATE OR DELETE
    ON providers_providerschedule DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION daysheet_guard_provider_id();
CREATE CONSTRAINT TRIGGER allowed_type_bumps AFTER INSERT OR UPDATE OR DELETE
    ON providers_providerschedule_visit_types DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION daysheet_guard_allowed_type();
CREATE CONSTRAINT TRIGGER time_off_bumps AFTER INSERT OR UPDATE OR DELETE
    ON providers_timeoff DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION daysheet_guard_provider_id();
CREATE CONSTRAINT TRIGGER closure_bumps AFTER INSERT OR UPDATE OR DELETE
    ON providers_clinicclosure DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION daysheet_guard_closure();
CREATE CONSTRAINT TRIGGER clinic_zone_bumps AFTER UPDATE
    ON providers_clinic DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.time_zone_id IS DISTINCT FROM NEW.time_zone_id
          OR OLD.is_active IS DISTINCT FROM NEW.is_active)
    EXECUTE FUNCTION daysheet_guard_clinic_row();
CREATE CONSTRAINT TRIGGER provider_active_bumps AFTER UPDATE
    ON providers_provider DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.is_active IS DISTINCT FROM NEW.is_active)
    EXECUTE FUNCTION daysheet_guard_provider_row();
"""


class Migration(migrations.Migration):
    dependencies = [("providers", "0001_initial")]
    operations = [
        migrations.RunSQL(CALENDAR_WITH_PROVIDER, migrations.RunSQL.noop),
        migrations.RunSQL(REQUIRE_BUMP, migrations.RunSQL.noop),
        migrations.RunSQL(GUARDS, migrations.RunSQL.noop),
    ]
