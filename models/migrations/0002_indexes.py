"""What the models can't say: search, near misses, failed rows, mails that are due, storage."""

from tortoise import migrations
from tortoise.migrations import operations as ops

FORWARD = [
    # Tag IDs are compared and ordered byte by byte, so that one index serves keys and neighbours.
    'ALTER TABLE cases ALTER COLUMN tag_id TYPE varchar(64) COLLATE "C"',
    'ALTER TABLE users ALTER COLUMN tag_id TYPE varchar(64) COLLATE "C"',
    # A Tag ID without case, separators and leading zeros: TRV-1 and trv_001 are the same.
    """
    CREATE FUNCTION plain_tag(tag text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN regexp_replace(
      regexp_replace(lower(tag), '[-_/. ]', '', 'g'), '([^0-9]|^)0+([0-9])', '\\1\\2', 'g')
    """,
    # The words of some texts, for searching by their beginnings.
    """
    CREATE FUNCTION search_words(texts text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN to_tsvector('simple'::regconfig, translate(texts, '-_/@.+:,;()''"', '             '))
    """,
    "CREATE INDEX cases_page ON cases (app_id, id)",
    "CREATE INDEX users_page ON users (app_id, id)",
    'CREATE INDEX cases_reverse_tag ON cases (app_id, reverse(tag_id) COLLATE "C")',
    'CREATE INDEX users_reverse_tag ON users (app_id, reverse(tag_id) COLLATE "C")',
    "CREATE INDEX cases_plain_tag ON cases (app_id, plain_tag(tag_id))",
    "CREATE INDEX users_plain_tag ON users (app_id, plain_tag(tag_id))",
    "CREATE UNIQUE INDEX users_email ON users (app_id, lower(email))",
    """
    CREATE INDEX cases_search ON cases USING gin (search_words(coalesce(tag_id, '') || ' ' || about))
    """,
    """
    CREATE INDEX users_search ON users USING gin (search_words(
      coalesce(tag_id, '') || ' ' || email || ' ' || given_name || ' ' || family_name))
    """,
    "CREATE INDEX imports_search ON imports USING gin (search_words(name || ' ' || file_name))",
    # `Import` names these two as constraints, but creating a table leaves its constraints out.
    """
    CREATE UNIQUE INDEX imports_name_in_use ON imports (app_id, name)
    WHERE status IN ('QUEUED', 'PROCESSING')
    """,
    """
    CREATE UNIQUE INDEX imports_idempotency_key ON imports (app_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL
    """,
    "CREATE INDEX imports_unfinished ON imports (id) WHERE status IN ('QUEUED', 'PROCESSING')",
    "CREATE INDEX import_rows_failed ON import_rows (id) WHERE status = 2",
    "CREATE INDEX mails_due ON mails (next_attempt_at, id) WHERE state IN ('PENDING', 'SENDING')",
    """
    ALTER TABLE import_file_parts ADD CONSTRAINT import_file_parts_import
    FOREIGN KEY (import_id) REFERENCES imports ON DELETE CASCADE
    """,
    """
    ALTER TABLE import_chunks ADD CONSTRAINT import_chunks_import
    FOREIGN KEY (import_id) REFERENCES imports ON DELETE CASCADE
    """,
    # Written a million at a time and read a page at a time: as text, cells cost half as much to copy
    # as an array or jsonb.
    "ALTER TABLE import_rows ALTER COLUMN cells TYPE json USING cells::json",
    # Chunks live for seconds and files are read whole: compressing them costs more than it saves.
    "ALTER TABLE import_chunks ALTER COLUMN payload SET STORAGE EXTERNAL",
    "ALTER TABLE import_chunks ALTER COLUMN carry SET STORAGE EXTERNAL",
    "ALTER TABLE import_file_parts ALTER COLUMN data SET STORAGE EXTERNAL",
]
BACKWARD = [
    "ALTER TABLE import_file_parts DROP CONSTRAINT import_file_parts_import",
    "ALTER TABLE import_chunks DROP CONSTRAINT import_chunks_import",
    "DROP INDEX cases_page, users_page, cases_reverse_tag, users_reverse_tag, cases_plain_tag,"
    " users_plain_tag, users_email, cases_search, users_search, imports_search,"
    " imports_name_in_use, imports_idempotency_key, imports_unfinished, import_rows_failed,"
    " mails_due",
    "DROP FUNCTION search_words, plain_tag",
]


class Migration(migrations.Migration):
    """Add the indexes and functions."""

    dependencies = [("models", "0001_initial")]

    operations = [ops.RunSQL(FORWARD, BACKWARD)]
