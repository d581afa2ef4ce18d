"""No connection to another machine below TLS 1.2, and none to somebody else: with real servers."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from smtplib import SMTPNotSupportedError
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import psycopg
import pytest
import redis
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, get_connection

from config.backup.errors import BackupFailed
from config.backup.programs import target
from config.settings.base import database
from config.settings.transport import private_database, private_redis
from patients.outbound import VerifiedSMTP, verified_context
from tests.config.certificates import Certificate, certificate
from tests.config.tls_servers import (
    NEW,
    OLD,
    context_of,
    listening,
    mail,
    plain_mail,
    postgres,
    web,
)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("ours"), "localhost", "127.0.0.1")


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A server with another name, of an authority that we do not know."""
    return certificate(tmp_path_factory.mktemp("another"), "db.elsewhere.example")


@pytest.fixture
def _trusted(ours: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system trusts our authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(ours.authority))


def fetch(port: int, host: str = "localhost") -> bytes:
    with urlopen(f"https://{host}:{port}/", timeout=30, context=verified_context()) as answer:
        found: bytes = answer.read()
        return found


@pytest.mark.usefixtures("_trusted")
def test_a_web_server_of_tls_1_1_is_refused_and_one_of_1_2_is_not(ours: Certificate) -> None:
    with listening(web, context_of(ours, OLD)) as port, pytest.raises(URLError) as refused:
        fetch(port)
    assert isinstance(refused.value.reason, ssl.SSLError)
    with listening(web, context_of(ours, NEW)) as port:
        assert fetch(port) == b"ok"


def test_the_old_server_does_speak_to_who_lets_it(ours: Certificate) -> None:
    """Or the refusals here would prove nothing."""
    careless = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    careless.load_verify_locations(ours.authority)
    with pytest.warns(DeprecationWarning):
        careless.minimum_version = OLD
    careless.set_ciphers("ALL:@SECLEVEL=0")
    with (
        listening(web, context_of(ours, OLD)) as port,
        urlopen(f"https://localhost:{port}/", timeout=30, context=careless) as answer,
    ):
        assert answer.read() == b"ok"


@pytest.mark.usefixtures("_trusted")
def test_a_server_of_another_name_or_authority_is_refused(
    ours: Certificate, another: Certificate
) -> None:
    with listening(web, context_of(another, NEW)) as port, pytest.raises(URLError):
        fetch(port)


def send(port: int, **more: Any) -> int:
    wanted: dict[str, Any] = {"host": "localhost", "port": port, "use_tls": True, "timeout": 5}
    connection = get_connection("patients.outbound.VerifiedSMTP", **{**wanted, **more})
    message = EmailMessage("A", "B", "desk@clinic.example", ["a@b.example"], connection=connection)
    return message.send()


@pytest.mark.usefixtures("_trusted")
def test_mail_goes_by_tls_1_2_and_by_nothing_older(ours: Certificate) -> None:
    with listening(mail, context_of(ours, OLD)) as port, pytest.raises(ssl.SSLError):
        send(port)
    with listening(mail, context_of(ours, NEW)) as port:
        assert send(port) == 1


@pytest.mark.usefixtures("_trusted")
def test_mail_never_goes_in_clear(ours: Certificate) -> None:
    with (
        listening(plain_mail, context_of(ours, NEW)) as port,
        pytest.raises(SMTPNotSupportedError),
    ):
        send(port)
    with pytest.raises(ImproperlyConfigured, match="EMAIL_USE_TLS"):
        VerifiedSMTP(host="localhost", port=9, use_tls=False, use_ssl=False).open()


@pytest.mark.usefixtures("_trusted")
def test_redis_by_tls_1_1_is_refused(ours: Certificate) -> None:
    with listening(web, context_of(ours, OLD)) as port:
        client = redis.Redis.from_url(
            f"rediss://localhost:{port}/0",
            ssl_check_hostname=True,
            ssl_min_version=ssl.TLSVersion.TLSv1_2,
            ssl_ca_certs=str(ours.authority),
            retry=None,
        )
        with pytest.raises(redis.ConnectionError, match=r"(?i)ssl|tls"):
            client.ping()


@pytest.fixture(scope="module")
def new_postgres(ours: Certificate) -> Iterator[int]:
    with postgres(ours, version="TLSv1.2") as port:
        yield port


def connect(port: int, *, authority: Path, host: str = "localhost") -> str:
    """Connect as production's settings would; return the TLS version."""
    address = f"postgresql://postgres@{host}:{port}/postgres"
    settings = private_database(database(f"{address}?sslmode=verify-full&sslrootcert={authority}"))
    with target(settings).connect() as link:
        row = link.execute(
            "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        ).fetchone()
        return str(row and row[0])


def words(port: int, *, authority: Path, host: str = "localhost") -> str:
    with pytest.raises(BackupFailed) as refused:
        connect(port, authority=authority, host=host)
    assert isinstance(refused.value.__cause__, psycopg.OperationalError)
    return str(refused.value.__cause__)


def test_a_verified_postgresql_is_reached(ours: Certificate, new_postgres: int) -> None:
    assert connect(new_postgres, authority=ours.authority) == "TLSv1.2"


def test_a_postgresql_of_another_authority_or_name_is_refused(
    ours: Certificate, another: Certificate, new_postgres: int
) -> None:
    assert "certificate verify failed" in words(new_postgres, authority=another.authority)
    with postgres(
        certificate(ours.chain.parent / "named", "db.elsewhere.example"), version="TLSv1.2"
    ) as port:
        authority = ours.chain.parent / "named" / "root.crt"
        assert "does not match host name" in words(port, authority=authority)


def test_a_postgresql_of_tls_1_1_is_refused(ours: Certificate) -> None:
    with postgres(ours, version="TLSv1.1") as port:
        assert "SSL" in words(port, authority=ours.authority)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://app@db.example/daysheet",
        "postgresql://app@127.0.0.1/daysheet",
        "postgresql://app@db.example/daysheet?sslmode=require",
        "postgresql://app@db.example/daysheet?sslmode=verify-ca",
        "postgresql://app@db.example/daysheet?sslmode=verify-full&ssl_min_protocol_version=TLSv1",
        "postgresql://app@/daysheet?host=/tmp&hostaddr=10.0.0.5",
        "postgresql://app@/daysheet?host=/tmp,db.example",
        "postgresql://app@/daysheet?service=elsewhere",
    ],
)
def test_a_database_that_could_be_listened_to_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        private_database(database(url))


@pytest.mark.parametrize("name", ["PGHOST", "PGHOSTADDR", "PGSERVICE"])
def test_the_environment_cannot_lead_elsewhere(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "10.0.0.5")
    with pytest.raises(ImproperlyConfigured, match=name):
        private_database(database("postgresql:///daysheet"))


@pytest.mark.parametrize("url", ["postgresql:///daysheet", "postgresql://a@/daysheet?host=/run/pg"])
def test_a_unix_socket_needs_no_tls(url: str) -> None:
    assert "sslmode" not in private_database(database(url))["OPTIONS"]


@pytest.mark.parametrize(
    "url",
    [
        "redis://10.0.0.5/0",
        "redis://localhost.elsewhere.example/0",
        "rediss://cache.example/0?ssl_cert_reqs=none",
        "rediss://cache.example/0?ssl_check_hostname=false",
        "http://cache.example/",
    ],
)
def test_a_redis_that_could_be_listened_to_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL"):
        private_redis(url)


@pytest.mark.parametrize(
    "url", ["", "redis://127.0.0.1:6379/0", "unix:///run/redis.sock", "rediss://cache.example/0"]
)
def test_a_redis_that_nobody_listens_to_is_taken(url: str) -> None:
    assert private_redis(url) == url
