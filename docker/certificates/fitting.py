"""Names, a certificate and its key as one file, and whether they can work together: all that is known of X.509."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----", re.DOTALL)
STOPGAP = "no certificate yet"
DIRECT, ENCODED = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.Encoding.DER


class Unfit(Exception):
    """Why it cannot be used, as a sentence."""


def names_in(domain: str) -> list[str]:
    """As certificates have them. Raises Unfit."""
    return [_name(name.strip()) for name in domain.split(",") if name.strip()]


def _name(written: str) -> str:
    try:
        name = written.lower().encode("idna").decode()
    except UnicodeError:
        name = ""
    if not NAME.fullmatch(name):
        raise Unfit(f"DOMAIN: {written[:100]!r} is not a name such as rooms.example.org.")
    return name


def fitting(pem: bytes, names: Sequence[str], now: datetime | None = None) -> bytes:
    """What nginx reads: the key, the site's own certificate, those of the authorities between. Raises Unfit."""
    blocks = [(match[1], match[0]) for match in BLOCK.finditer(pem)]
    certificates = [text for kind, text in blocks if kind == b"CERTIFICATE"]
    keys = [text for kind, text in blocks if kind.endswith(b"PRIVATE KEY")]
    if not certificates:
        raise Unfit("TLS_CERT holds no certificate: it must be PEM, with the line -----BEGIN CERTIFICATE-----.")
    if len(keys) != 1:
        raise Unfit(f"TLS_KEY must hold one private key in PEM, and holds {len(keys) or 'none'}.")
    chain = [_certificate(text) for text in certificates]
    _pair(chain, keys[0])
    _good(chain[0], names, now or datetime.now(UTC))
    return b"\n".join([keys[0], *certificates, b""])


def _certificate(text: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(text)
    except ValueError:
        raise Unfit("TLS_CERT holds a certificate that cannot be read: is the file whole?") from None


def _pair(chain: list[x509.Certificate], key: bytes) -> None:
    try:
        public = serialization.load_pem_private_key(key, None).public_key().public_bytes(ENCODED, DIRECT)
    except TypeError:
        raise Unfit("TLS_KEY has a passphrase: `openssl pkey -in KEY -out NEW` writes it without.") from None
    except ValueError:
        raise Unfit("TLS_KEY holds a key that cannot be read: is the file whole?") from None
    fit = [certificate.public_key().public_bytes(ENCODED, DIRECT) == public for certificate in chain]
    if not any(fit):
        raise Unfit("TLS_CERT and TLS_KEY do not belong together: the certificate is of another key.")
    if not fit[0]:
        raise Unfit("In TLS_CERT the site's own certificate must stand first, and after it those of its authorities.")


def _good(certificate: x509.Certificate, names: Sequence[str], now: datetime) -> None:
    if certificate.not_valid_after_utc <= now:
        raise Unfit(f"TLS_CERT has ended on {certificate.not_valid_after_utc:%Y-%m-%d}.")
    known = names_of(certificate)
    missing = [name for name in names if name not in known and f"*.{name.partition('.')[2]}" not in known]
    if missing:
        raise Unfit(f"TLS_CERT is for {', '.join(known) or 'nobody'}, and not for {', '.join(missing)} (DOMAIN).")


def names_of(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [name.lower() for name in names.get_values_for_type(x509.DNSName)]


def first(pem: bytes) -> x509.Certificate:
    """The site's own, of what `fitting` or `stopgap` has made."""
    return x509.load_pem_x509_certificate(pem[pem.index(b"-----BEGIN CERTIFICATE") :])


def is_stopgap(certificate: x509.Certificate) -> bool:
    return certificate.issuer.rfc4514_string() == f"CN={STOPGAP}"


def stopgap(names: Sequence[str]) -> bytes:
    """Signed by itself, so that the site answers until there is one that browsers trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, STOPGAP)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(who, who, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=3650))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return text + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
