"""The first start: the tenant that runs the installation, and somebody who may sign in to it."""

import sys
import uuid
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db.engine import Database
from services.common.errors import InvalidArgument
from services.common.identifiers import uuid7
from services.common.telemetry.logs import logger
from services.session import audit
from services.session import identity_store as store
from services.session.identity.passwords import check_strength, one_time_password
from services.session.identity.people import People
from services.session.identity.tenancy import DEFAULT_SLUG

log = logger(__name__)
ADMIN_EMAIL = "admin@parley.local"
ADMIN_ROLES = ("owner",)


async def ensure_first_tenant(database: Database, people: People, password_file: Path | None) -> uuid.UUID:
    """The operator's tenant, made with its admin if this is the first start of the first process."""
    tenant = uuid7()
    async with database.unit_of_work(str(tenant)) as connection:
        made = await store.insert_tenant(connection, tenant, DEFAULT_SLUG, "Default", operator=True)
        if made is None:
            return await _existing(connection)
        password, generated = first_password(password_file)
        new = store.NewUser(tenant, ADMIN_EMAIL, "Administrator", ADMIN_ROLES)
        admin = await people.insert(connection, tenant, new, password)
        entry = audit.Entry("services/session", "tenants.create", f"tenants/{tenant}", detail={"admin": admin.subject})
        await audit.append(connection, tenant, entry)
    if generated:
        show(password)
    log.info("first start", tenant=str(tenant), admin=ADMIN_EMAIL)
    return tenant


def first_password(file: Path | None) -> tuple[str, bool]:
    """The one-time password of the file, or a new one. RuntimeError for a file that cannot serve."""
    if file is None:
        return one_time_password(), True
    try:
        password = file.read_text().strip()
    except OSError as error:
        message = f"PARLEY_ADMIN_PASSWORD_FILE: {file}: {error.strerror}"
        raise RuntimeError(message) from None
    try:
        check_strength("PARLEY_ADMIN_PASSWORD_FILE", password, ADMIN_EMAIL)
    except InvalidArgument as error:
        raise RuntimeError(error.message) from None
    return password, False


def show(password: str) -> None:
    """To the terminal, once; never to the log."""
    print(f"First start: sign in as {ADMIN_EMAIL} with the one-time password {password}", file=sys.stderr, flush=True)  # noqa: T201


async def _existing(connection: AsyncConnection) -> uuid.UUID:
    found = await store.tenant_of_slug(connection, DEFAULT_SLUG)
    if found is None:
        message = "the short name of the first tenant is taken, but by nobody"
        raise RuntimeError(message)
    return found
