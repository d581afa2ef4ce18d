"""Certificates of our own making, for servers on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Certificate:
    """The files of one server: its certificate, its key, and the authority that vouches for it."""

    chain: Path
    key: Path
    authority: Path


def certificate(directory: Path, *names: str) -> Certificate:
    """Make an authority and a certificate of it for these host names or addresses."""
    directory.mkdir(parents=True, exist_ok=True)
    root_key, key = _key(), _key()
    authority = _name(f"Authority of {names[0]}")
    root = _sign(authority, root_key, authority, root_key, ca=True)
    leaf = _sign(_name(names[0]), key, root.subject, root_key, names=names)
    files = Certificate(directory / "server.crt", directory / "server.key", directory / "root.crt")
    files.chain.write_bytes(leaf.public_bytes(Encoding.PEM))
    files.authority.write_bytes(root.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files.key.write_bytes(private)
    files.key.chmod(0o600)
    return files


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2048)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _sign(
    subject: x509.Name,
    key: rsa.RSAPrivateKey,
    issuer: x509.Name,
    issuer_key: rsa.RSAPrivateKey,
    *,
    names: tuple[str, ...] = (),
    ca: bool = False,
) -> x509.Certificate:
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if names:
        known = [_known_as(name) for name in names]
        built = built.add_extension(x509.SubjectAlternativeName(known), critical=False)
    return built.sign(issuer_key, hashes.SHA256())


def _known_as(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
