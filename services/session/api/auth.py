"""AuthService."""

from google.protobuf import empty_pb2
from parley.session.v1 import identity_service_pb2 as service_pb
from parley.session.v1 import identity_service_pb2_grpc as service_grpc
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.security.principal import Principal
from services.session import audit, token_store
from services.session.api.mutations import Mutations
from services.session.identity.exchange import KeyExchange, OidcExchange
from services.session.identity.sign_in import Grant, SignIn
from services.session.identity.signing_keys import SigningKeys
from services.session.identity.tenancy import TenantDirectory, working_for


def to_proto(grant: Grant) -> service_pb.TokenSet:
    """A grant as callers get it."""
    message = service_pb.TokenSet(
        access_token=grant.access.text,
        refresh_token=grant.refresh,
        subject=grant.principal.subject,
        password_expired=grant.password_expired,
    )
    message.expire_time.FromDatetime(grant.access.expire_at)
    return message


class AuthService(service_grpc.AuthServiceServicer):
    """Tokens."""

    def __init__(
        self,
        sign_in: SignIn,
        key_exchange: KeyExchange,
        oidc_exchange: OidcExchange,
        keys: SigningKeys,
        *,
        directory: TenantDirectory,
        mutations: Mutations,
    ) -> None:
        self._sign_in = sign_in
        self._key_exchange = key_exchange
        self._oidc_exchange = oidc_exchange
        self._keys = keys
        self._directory = directory
        self._mutations = mutations

    async def SignIn(self, request: service_pb.SignInRequest, context: object) -> service_pb.TokenSet:  # noqa: N802
        """With e-mail and password."""
        return to_proto(await self._sign_in.with_password(request.tenant, request.email, request.password))

    async def SignInVisitor(  # noqa: N802
        self, request: service_pb.SignInVisitorRequest, context: object
    ) -> service_pb.TokenSet:
        """Without an account."""
        return to_proto(await self._sign_in.as_visitor(request.tenant, request.locale, request.bot))

    async def RefreshToken(  # noqa: N802
        self, request: service_pb.RefreshTokenRequest, context: object
    ) -> service_pb.TokenSet:
        """Each refresh token once."""
        return to_proto(await self._sign_in.renew(request.refresh_token))

    async def RevokeToken(  # noqa: N802
        self, request: service_pb.RevokeTokenRequest, context: object
    ) -> empty_pb2.Empty:
        """Says nothing about whether the token was known."""
        await self._sign_in.sign_out(request.refresh_token)
        return empty_pb2.Empty()

    async def ExchangeToken(  # noqa: N802
        self, request: service_pb.ExchangeTokenRequest, context: object
    ) -> service_pb.TokenSet:
        """An API key or an outside token."""
        if request.WhichOneof("credential") == "api_key":
            return to_proto(await self._key_exchange.exchange(request.api_key))
        return to_proto(await self._oidc_exchange.exchange(request.id_token, request.tenant))

    async def RotateSigningKey(  # noqa: N802
        self, request: service_pb.RotateSigningKeyRequest, context: object
    ) -> service_pb.RotateSigningKeyResponse:
        """For the operator's tenant only: the keys are everybody's."""

        async def work(connection: AsyncConnection, maker: Principal) -> service_pb.RotateSigningKeyResponse:
            self._directory.ensure_operator(maker)
            async with working_for(connection, token_store.INSTALLATION, self._directory.operator):
                key_id = await self._keys.rotate_within(connection)
            entry = audit.Entry(maker.subject, "signingKeys.rotate", f"signingKeys/{key_id}")
            await audit.append(connection, self._directory.operator, entry)
            return service_pb.RotateSigningKeyResponse(key_id=key_id)

        answer = service_pb.RotateSigningKeyResponse
        response = await self._mutations.run(request, answer, work, action="signingKeys.rotate")
        await self._keys.load()
        return response
