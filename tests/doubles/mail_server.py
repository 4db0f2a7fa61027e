"""A mail server for tests: aiosmtpd, which speaks real SMTP, with TLS, logins and the refusals that servers have."""

import asyncio
import datetime
import email
import email.policy
import ipaddress
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Certificates:
    """A certificate for localhost (or another name), and the contexts of both sides."""

    server: ssl.SSLContext
    client: ssl.SSLContext


def certificates(folder: Path, name: str = "localhost") -> Certificates:
    """Made anew; the client trusts nothing else."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.9"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return Certificates(server, ssl.create_default_context(cafile=str(file)))


@dataclass
class Received:
    """A mail that came."""

    sender: str
    to: list[str]
    raw: bytes
    encrypted: bool
    user: str

    @property
    def message(self) -> EmailMessage:
        found = email.message_from_bytes(self.raw, policy=email.policy.default)
        assert isinstance(found, EmailMessage)
        return found

    def part(self, kind: str) -> str:
        """The text of the first part of a type."""
        return next(str(part.get_content()) for part in self.message.walk() if part.get_content_type() == kind)


@dataclass
class MailServer:
    """`received` holds what came. `refused`: recipient -> answer; `answer`: to DATA, empty takes the mail; `silent`:
    takes connections and says nothing.
    """

    tls: ssl.SSLContext | None = None
    implicit: bool = False
    users: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    answer: str = ""
    silent: bool = False
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        context = self.tls if self.implicit else None
        factory = asyncio.Protocol if self.silent else self._protocol
        self._server = await loop.create_server(factory, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    def _protocol(self) -> SMTP:
        self.connections += 1
        return SMTP(
            self,
            hostname="mail.test",
            loop=asyncio.get_running_loop(),
            tls_context=None if self.implicit else self.tls,
            require_starttls=self.tls is not None and not self.implicit,
            auth_required=bool(self.users),
            auth_require_tls=not self.implicit,
            authenticator=self._authenticate if self.users else None,
        )

    def _authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        user = data.login.decode()
        session.user = user
        return AuthResult(success=self.users.get(user) == data.password.decode(), handled=False)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answer:
            return self.answer
        encrypted = self.implicit or session.ssl is not None
        user = getattr(session, "user", "")
        self.received.append(Received(envelope.mail_from, envelope.rcpt_tos, envelope.content, encrypted, user))
        return "250 OK"

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
