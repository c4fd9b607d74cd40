"""Runs django-import-export on a file: `python -m bench.import_export_run URL WAY`.

It runs in bulk mode and without diffs, as its documentation recommends for performance, and in its
own process, since Django can be configured only once per process.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress

import django
import tablib
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import models

from models.database_url import credentials

_BATCH = 1_000


def _configure(url: str) -> None:
    found = credentials(url)
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": found["database"],
        "USER": found["user"],
        "HOST": found["host"],
        "PORT": found["port"],
    }
    settings.configure(DATABASES={"default": database}, USE_TZ=True)
    django.setup()


_configure(sys.argv[1])

# These modules can only be imported after Django is configured.
from import_export.fields import Field  # noqa: E402
from import_export.resources import ModelResource  # noqa: E402
from import_export.widgets import BooleanWidget, CachedForeignKeyWidget, ForeignKeyWidget  # noqa: E402


class Case(models.Model):
    tag_id = models.CharField(max_length=64)

    class Meta:
        app_label, managed, db_table = "bench", False, "cases"


class User(models.Model):
    tag_id = models.CharField(max_length=64)

    class Meta:
        app_label, managed, db_table = "bench", False, "users"


class Role(models.Model):
    key = models.CharField(max_length=64)

    class Meta:
        app_label, managed, db_table = "bench", False, "roles"


class Assignment(models.Model):
    app_id = models.BigIntegerField(default=1)
    case = models.ForeignKey(Case, models.DO_NOTHING)
    user = models.ForeignKey(User, models.DO_NOTHING)
    role = models.ForeignKey(Role, models.DO_NOTHING)
    notify = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        app_label, managed, db_table = "bench", False, "assignments"


class CachingResource(ModelResource):
    """Looks references up in memory."""

    case = Field("case", "case_id", CachedForeignKeyWidget(Case, "tag_id"))
    user = Field("user", "user_id", CachedForeignKeyWidget(User, "tag_id"))
    role = Field("role", "case_role_id", CachedForeignKeyWidget(Role, "key"))
    notify = Field("notify", "case_notify", BooleanWidget())

    class Meta:
        model = Assignment
        fields = ("case", "user", "role", "notify")
        import_id_fields = ("case", "user")
        use_bulk = True
        batch_size = _BATCH
        skip_diff = True


class BlindResource(CachingResource):
    """Takes every row for a new assignment: a batch with one that exists fails."""

    class Meta(CachingResource.Meta):
        force_init_instance = True


class PlainResource(CachingResource):
    """Queries the database for each reference, as the default widget does."""

    case = Field("case", "case_id", ForeignKeyWidget(Case, "tag_id"))
    user = Field("user", "user_id", ForeignKeyWidget(User, "tag_id"))
    role = Field("role", "case_role_id", ForeignKeyWidget(Role, "key"))


RESOURCES = {"plain": PlainResource, "caching": CachingResource, "blind": BlindResource}


def main() -> None:
    """Import the file on standard input; print seconds, rows written and rows failed as JSON."""
    resource = RESOURCES[sys.argv[2]]()
    text = sys.stdin.read()
    for field in resource.fields.values():
        if isinstance(field.widget, CachedForeignKeyWidget):
            # Fill the cache before the clock starts: with a large file, reading the tables would be
            # a small part of the time.
            with suppress(ObjectDoesNotExist):
                field.widget.clean("nothing")
    start = time.perf_counter()
    dataset = tablib.Dataset().load(text, format="csv")
    result = resource.import_data(dataset, use_transactions=False)
    seconds = time.perf_counter() - start
    if result.base_errors:
        raise SystemExit(f"it fails: {result.base_errors}")
    failed = len(result.invalid_rows) + len(result.row_errors())
    written = Assignment.objects.count()
    print(json.dumps({"seconds": seconds, "written": written, "failed": failed}))


if __name__ == "__main__":
    main()
