"""A certificate authority for one cluster, and the kubeconfig files of those it vouches for.

By `cryptography`: typed, and no process for each certificate (openssl: three, and their files).
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = datetime.timedelta(days=30)
ONE_HOUR = datetime.timedelta(hours=1)


@dataclass(frozen=True)
class KeyPair:
    """Paths of a certificate and its key, both PEM."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Authority:
    """A root that issues certificates into one folder."""

    directory: Path
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def create(cls, directory: Path) -> Authority:
        directory.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("spark-test-cluster", ())
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        builder = _builder(name, name, key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        certificate = builder.add_extension(usage, critical=True).sign(key, hashes.SHA256())
        _write(directory, "ca", certificate, key)
        return cls(directory, certificate, key)

    @property
    def pair(self) -> KeyPair:
        return KeyPair(self.directory / "ca.crt", self.directory / "ca.key")

    def issue(
        self, file: str, subject: str, *, groups: Sequence[str] = (), hosts: Sequence[str] = ()
    ) -> KeyPair:
        """A certificate of `subject` for client and server use, written as `file`.crt and `file`.key."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(subject, groups), self.certificate.subject, key.public_key())
        uses = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        if hosts:
            names = x509.SubjectAlternativeName([_host(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        return _write(self.directory, file, builder.sign(self.key, hashes.SHA256()), key)

    def kubeconfig(self, path: Path, server: str, user: str, groups: Sequence[str] = ()) -> Path:
        """A kubeconfig with which `user` asks `server`."""
        pair = self.issue(path.name, user, groups=groups)
        credentials = {
            "client-certificate-data": encoded(pair.certificate.read_bytes()),
            "client-key-data": encoded(pair.key.read_bytes()),
        }
        authority = {"certificate-authority-data": encoded(self.pair.certificate.read_bytes())}
        return write_kubeconfig(path, {"server": server, **authority}, user, credentials)


def write_kubeconfig(path: Path, cluster: dict[str, object], user: str, credentials: dict[str, str]) -> Path:
    """Written as JSON, which is YAML too; readable by its owner alone."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "spark", "cluster": cluster}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": "spark", "context": {"cluster": "spark", "user": user}}],
        "current-context": "spark",
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(content, indent=1))
    return path


def private_key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def signing_request(user: str, groups: Sequence[str], key: ec.EllipticCurvePrivateKey) -> bytes:
    """A PEM request for a certificate that says `user` of `groups`."""
    request = x509.CertificateSigningRequestBuilder().subject_name(_name(user, groups))
    return request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _name(subject: str, groups: Sequence[str]) -> x509.Name:
    organisations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*organisations, x509.NameAttribute(NameOID.COMMON_NAME, subject)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - ONE_HOUR)
        .not_valid_after(now + LIFETIME)
    )


def _write(
    directory: Path, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> KeyPair:
    pair = KeyPair(directory / f"{name}.crt", directory / f"{name}.key")
    pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pair.key.touch(mode=0o600)
    pair.key.write_bytes(private_key_pem(key))
    return pair
