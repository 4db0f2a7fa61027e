"""UserService."""

import uuid

from google.protobuf import empty_pb2
from parley.session.v1 import identity_pb2 as pb
from parley.session.v1 import identity_service_pb2 as service_pb
from parley.session.v1 import identity_service_pb2_grpc as service_grpc
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db.engine import Database
from services.common.errors import InvalidArgument, PermissionDenied
from services.common.identifiers import parse_name, parse_uuid
from services.common.pagination import PageTokens, page_size
from services.common.security.principal import Principal
from services.session import identity_store as store
from services.session.api.bearer import family_of_call
from services.session.api.mutations import Mutations, caller
from services.session.identity.people import CHANGEABLE, People, user_id_of
from services.session.identity.user_cache import UserCache

DEFAULT_PAGE = 50
LARGEST_PAGE = 200


def to_proto(user: store.UserRow) -> pb.User:
    """An account as callers see it."""
    message = pb.User(
        name=user.subject,
        email=user.email,
        display_name=user.display_name,
        roles=user.roles,
        locale=user.locale,
        disabled=user.disabled,
        password_expired=user.password_expired,
        etag=str(user.revision),
    )
    message.create_time.FromDatetime(user.created_at)
    message.update_time.FromDatetime(user.updated_at)
    return message


def parse_user(name: str, field: str = "name") -> uuid.UUID:
    """The id in "users/{uuid}". InvalidArgument."""
    return parse_uuid(parse_name("users/*", name, field)[0], field)


def requested_changes(request: service_pb.UpdateUserRequest) -> dict[str, object]:
    """The fields of the mask, or without one the fields that are set. InvalidArgument for any other."""
    set_fields = {field.name for field, _ in request.user.ListFields()}
    paths = list(request.update_mask.paths) or [name for name in CHANGEABLE if name in set_fields]
    changes: dict[str, object] = {}
    for path in paths:
        if path not in CHANGEABLE:
            raise InvalidArgument.field("update_mask", f"some of {', '.join(CHANGEABLE)}", path)
        value = getattr(request.user, path)
        changes[path] = list(value) if path == "roles" else value
    if not changes:
        raise InvalidArgument.field("update_mask", f"some of {', '.join(CHANGEABLE)}")
    return changes


class UserService(service_grpc.UserServiceServicer):
    """Accounts of the caller's tenant."""

    def __init__(
        self, database: Database, people: People, mutations: Mutations, cache: UserCache, tokens: PageTokens
    ) -> None:
        self._database = database
        self._people = people
        self._mutations = mutations
        self._cache = cache
        self._tokens = tokens

    async def CreateUser(self, request: service_pb.CreateUserRequest, context: object) -> pb.User:  # noqa: N802
        """AlreadyExists for a taken address, PermissionDenied for roles above the caller's."""
        user = request.user
        new = store.NewUser(uuid.UUID(int=0), user.email, user.display_name, user.roles, user.locale, user.disabled)

        async def work(connection: AsyncConnection, maker: Principal) -> pb.User:
            return to_proto(await self._people.create(connection, maker, new, request.password))

        return await self._mutations.run(request, pb.User, work, action="users.create")

    async def GetUser(self, request: service_pb.GetUserRequest, context: object) -> pb.User:  # noqa: N802
        """One's own account; another's with session.users.get."""
        reader = caller()
        own = request.name == "users/me"
        user = user_id_of(reader) if own else parse_user(request.name)
        if reader.subject != f"users/{user}" and not reader.may("session.users.get"):
            raise PermissionDenied("this needs the permission session.users.get")
        cached = await self._cache.read(reader.tenant_id, user)
        if cached is not None:
            return cached
        message = to_proto(await self._people.read(reader, user))
        await self._cache.keep(reader.tenant_id, user, message)
        return message

    async def ListUsers(self, request: service_pb.ListUsersRequest, context: object) -> service_pb.ListUsersResponse:  # noqa: N802
        """By address."""
        reader = caller()
        size = page_size(request.page_size, DEFAULT_PAGE, LARGEST_PAGE)
        filters = ("users", reader.tenant_id)
        after = (self._tokens.read(filters, request.page_token) or [""])[0]
        async with self._database.unit_of_work(reader.tenant_id) as connection:
            rows = await store.list_users(connection, uuid.UUID(reader.tenant_id), after, size + 1)
        token = self._tokens.make(filters, [store.email_key(rows[size - 1].email)]) if len(rows) > size else ""
        users = [to_proto(row) for row in rows[:size]]
        return service_pb.ListUsersResponse(users=users, next_page_token=token)

    async def UpdateUser(self, request: service_pb.UpdateUserRequest, context: object) -> pb.User:  # noqa: N802
        """Nobody changes somebody above them, or gives roles above their own."""
        user = parse_user(request.user.name, "user.name")
        changes = requested_changes(request)

        async def work(connection: AsyncConnection, maker: Principal) -> pb.User:
            return to_proto(await self._people.update(connection, maker, user, changes, request.user.etag))

        message = await self._mutations.run(request, pb.User, work, action="users.update")
        await self._cache.forget(caller().tenant_id, user)
        return message

    async def DeleteUser(self, request: service_pb.DeleteUserRequest, context: object) -> empty_pb2.Empty:  # noqa: N802
        """Its refresh tokens are revoked; access tokens end within minutes."""
        user = parse_user(request.name)

        async def work(connection: AsyncConnection, maker: Principal) -> empty_pb2.Empty:
            await self._people.delete(connection, maker, user)
            return empty_pb2.Empty()

        message = await self._mutations.run(request, empty_pb2.Empty, work, action="users.delete")
        await self._cache.forget(caller().tenant_id, user)
        return message

    async def ChangePassword(self, request: service_pb.ChangePasswordRequest, context: object) -> empty_pb2.Empty:  # noqa: N802
        """The sign-in that is used for it stays; the caller's other sign-ins end."""
        family = family_of_call(context)
        await self._people.count_password_attempt(caller())

        async def work(connection: AsyncConnection, who: Principal) -> empty_pb2.Empty:
            passwords = (request.current_password, request.new_password)
            await self._people.change_password(connection, who, *passwords, family)
            return empty_pb2.Empty()

        message = await self._mutations.run(request, empty_pb2.Empty, work, action="users.changePassword")
        await self._cache.forget(caller().tenant_id, user_id_of(caller()))
        return message
