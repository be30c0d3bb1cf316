"""Certificates that somebody brings: what cannot work is refused by a sentence that says what to do."""

import runpy
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stack.heroku.certificates import Authority

FILE = Path(__file__).parents[3] / "docker/certificates/fitting.py"
module = runpy.run_path(str(FILE))
fitting, first, stopgap, is_stopgap, names_in, Unfit = (
    module[name] for name in ("fitting", "first", "stopgap", "is_stopgap", "names_in", "Unfit")
)
NAME = "rooms.example.org"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def pair(authority: Authority) -> tuple[bytes, bytes]:
    certificate, key = authority.sign(NAME, "*.example.net")
    return certificate.read_bytes(), key.read_bytes()


def refusal(pem: bytes, names: tuple[str, ...] = (NAME,), now: datetime | None = None) -> str:
    with pytest.raises(Unfit) as refused:
        fitting(pem, names, now)
    return str(refused.value)


def test_a_pair_is_one_file_with_the_chain_in_its_order(pair: tuple[bytes, bytes], authority: Authority) -> None:
    certificate, key = pair
    chain = authority.certificate.read_bytes()
    made = fitting(certificate.strip() + chain + key, [NAME, "eu.example.net"])
    assert [made.index(part.strip()) for part in (key, certificate, chain)] == sorted(
        made.index(part.strip()) for part in (key, certificate, chain)
    )
    assert first(made).serial_number == first(certificate).serial_number
    assert not is_stopgap(first(made))


def test_what_somebody_mixed_up_is_said(pair: tuple[bytes, bytes], authority: Authority, tmp_path: Path) -> None:
    certificate, key = pair
    stranger = Authority(tmp_path).sign(NAME)[1].read_bytes()
    assert "holds no certificate" in refusal(key)
    assert "must hold one private key in PEM, and holds none" in refusal(certificate)
    assert "and holds 2" in refusal(certificate + key + stranger)
    assert "do not belong together" in refusal(certificate + stranger)
    assert "must stand first" in refusal(authority.certificate.read_bytes() + certificate + key)
    assert "is the file whole?" in refusal(certificate.replace(b"MII", b"???") + key)
    assert "TLS_CERT is for rooms.example.org, *.example.net, and not for example.net (DOMAIN)" in refusal(
        certificate + key, (NAME, "example.net")
    )
    assert "TLS_CERT has ended on" in refusal(certificate + key, now=datetime.now(UTC) + timedelta(days=3))


def test_a_key_with_a_passphrase_is_said_with_the_command_that_takes_it_off(pair: tuple[bytes, bytes]) -> None:
    from cryptography.hazmat.primitives import serialization as form

    key = form.load_pem_private_key(pair[1], None)
    locked = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.BestAvailableEncryption(b"secret"))
    assert "`openssl pkey -in KEY -out NEW`" in refusal(pair[0] + locked)


def test_the_one_that_the_site_signs_itself_is_known_as_such() -> None:
    made = stopgap([NAME])
    assert is_stopgap(first(made))
    assert fitting(made, [NAME])


def test_names_are_as_certificates_have_them() -> None:
    assert names_in("Rooms.Example.org, 茶馆.example ,localhost,") == [NAME, "xn--cl1ay07b.example", "localhost"]


@pytest.mark.parametrize(
    "domain", ["https://rooms.example.org", "rooms.example.org:443", ".example.org", "*.example.org", "a b", "a..b"]
)
def test_what_is_no_name_is_said(domain: str) -> None:
    with pytest.raises(Unfit, match=r"DOMAIN: .* is not a name such as rooms\.example\.org"):
        names_in(f"{NAME},{domain}")
