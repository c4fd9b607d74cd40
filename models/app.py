"""The tenant, its roles and the tokens that open it; what the command line makes of these."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.fields.db_defaults import Now
from tortoise.models import Model

from models.audit import COMMAND_LINE, Action, record
from models.db import transaction
from models.described_enum import DescribedStrEnum

TOKEN_PREFIX = "crl_"  # noqa: S105 - what every token begins with, so that scanners find leaked ones
DEFAULT_ROLES = {"clients": "Clients", "staff": "Staff", "default": "Default"}


class Permission(DescribedStrEnum):
    """What a token may do."""

    ADMIN = "ADMIN", "Read and change everything of the app."
    VIEWER = "VIEWER", "Read everything of the app."


class App(Model):
    """A tenant: every other row belongs to one.

    An import is held that would remove more than `remove_percent` of the app's assignments, or of
    those of any one case, and at least `remove_at_least` in all; None turns that off. Imports of
    `release_types`, or all if it `requires_release`, are held until another token releases them.
    A plan says which cases would be left without the role `required_role_id`.
    """

    id = fields.BigIntField(primary_key=True)
    slug = fields.CharField(max_length=64, unique=True)
    name = fields.CharField(max_length=200)
    created_at = fields.DatetimeField(db_default=Now())
    remove_percent = fields.IntField(null=True, db_default=20)
    remove_at_least = fields.IntField(db_default=100)
    requires_release = fields.BooleanField(db_default=False)
    release_types: list[str] = ArrayField(element_type="text", db_default=[])
    required_role_id = fields.BigIntField(null=True)

    class Meta:
        table = "apps"


class Role(Model):
    """What a user is on a case; each app has its own, beginning with `DEFAULT_ROLES`."""

    id = fields.BigIntField(primary_key=True)
    app: fields.ForeignKeyRelation[App] = fields.ForeignKeyField(
        "models.App", related_name=False, on_delete=fields.RESTRICT
    )
    app_id: int
    key = fields.CharField(max_length=64)
    label = fields.CharField(max_length=200)

    class Meta:
        table = "roles"
        unique_together = (("app", "key"),)


class ApiToken(Model):
    """A bearer token of one app; only its SHA-256 is kept.

    `last_used_at` is to the minute; while it is in use, it is at most a minute old.
    """

    id = fields.BigIntField(primary_key=True)
    app: fields.ForeignKeyRelation[App] = fields.ForeignKeyField(
        "models.App", related_name=False, on_delete=fields.RESTRICT
    )
    app_id: int
    name = fields.CharField(max_length=200)
    digest = fields.CharField(max_length=64, unique=True)
    permission = fields.CharEnumField(Permission, max_length=10)
    created_at = fields.DatetimeField(db_default=Now())
    last_used_at = fields.DatetimeField(null=True)
    expires_at = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "api_tokens"


async def create_app(slug: str, name: str) -> App:
    async with transaction() as db:
        app = await App.create(slug=slug, name=name)
        await Role.bulk_create(
            [Role(app_id=app.id, key=key, label=label) for key, label in DEFAULT_ROLES.items()]
        )
        await record(db, app.id, COMMAND_LINE, Action.APP_CREATED, app.id, name=name)
    return app


async def add_role(app: App, key: str, label: str) -> Role:
    """Add a role to an app.

    Raises:
        IntegrityError: the app has a role of that key.
    """
    async with transaction() as db:
        role = await Role.create(app_id=app.id, key=key, label=label)
        await record(db, app.id, COMMAND_LINE, Action.ROLE_ADDED, role.id, name=key)
    return role


def make_token() -> str:
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def token_digest(token: str) -> str:
    """Hash a token for storing and finding it: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


async def create_token(
    app: App, name: str, permission: Permission, *, expires_at: datetime | None = None
) -> str:
    """Create a token and return it; only its digest is stored."""
    token = make_token()
    async with transaction() as db:
        row = await ApiToken.create(
            app_id=app.id,
            name=name,
            digest=token_digest(token),
            permission=permission,
            expires_at=expires_at,
        )
        await record(db, app.id, COMMAND_LINE, Action.TOKEN_CREATED, row.id, name=name)
    return token


async def revoke_token(token_id: int) -> str | None:
    """Revoke a token and return its name; None when there is no such token."""
    async with transaction() as db:
        token = await ApiToken.select_for_update().get_or_none(id=token_id)
        if token is None:
            return None
        # A token that is revoked twice keeps its first time, and has one event.
        if token.revoked_at is None:
            token.revoked_at = datetime.now(UTC)
            await token.save(update_fields=["revoked_at"])
            action = Action.TOKEN_REVOKED
            await record(db, token.app_id, COMMAND_LINE, action, token.id, name=token.name)
    return token.name
