-- Refuses every change of the schema outside a migration, by whoever it is tried. It stops accidents, not an attacker:
-- a superuser can switch it off, and then the tree is what tells.
--
-- By hand, in an emergency: SET fasttrack.migration = 'on' in the session of the schema's owner.

CREATE FUNCTION ledger.refuse_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('fasttrack.migration', true), '') <> 'on'
       OR NOT pg_has_role(session_user, (SELECT nspowner FROM pg_namespace WHERE nspname = 'ledger'), 'MEMBER') THEN
        RAISE EXCEPTION '% refused: the schema changes by migrations only', tg_tag
            USING ERRCODE = 'insufficient_privilege', HINT = 'fasttrack migrate';
    END IF;
END
$$;
REVOKE ALL ON FUNCTION ledger.refuse_ddl() FROM PUBLIC;

DO $$
BEGIN
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        CREATE EVENT TRIGGER fasttrack_refuse_ddl ON ddl_command_start EXECUTE FUNCTION ledger.refuse_ddl();
        ALTER EVENT TRIGGER fasttrack_refuse_ddl ENABLE ALWAYS;
    ELSE
        RAISE WARNING 'the guard against schema changes was not set up, because only a superuser may: let one run'
            ' CREATE EVENT TRIGGER fasttrack_refuse_ddl ON ddl_command_start EXECUTE FUNCTION ledger.refuse_ddl()';
    END IF;
END
$$;
