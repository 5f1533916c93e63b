"""KLAP without its HTTP: proofs of the account, and the sealed messages (Kasa fact sheet section 9)."""

from __future__ import annotations

import hmac
from enum import IntEnum
from hashlib import md5, sha1, sha256
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.modes import CBC

SEED_SIZE = 16
KEY_SIZE = 16
IV_SIZE = 12
MARK_SIZE = 28
SIGNATURE_SIZE = 32
BLOCK_SIZE = 16


class LoginVersion(IntEnum):
    """How accounts are hashed: 2 since the firmware of about December 2024, and with the SMART family."""

    V1 = 1
    V2 = 2


class Account(NamedTuple):
    """User name and password; both blank is what a plug without an owner knows."""

    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return "Account(…)"

    def digest(self, version: LoginVersion) -> bytes:
        """What stands for the account on the wire."""
        user, password = self.user.encode(), self.password.encode()
        if version is LoginVersion.V1:
            return md5(md5(user).digest() + md5(password).digest()).digest()  # noqa: S324 - the protocol's
        return sha256(sha1(user).digest() + sha1(password).digest()).digest()  # noqa: S324 - the protocol's


class BadSeal(ValueError):
    """A message under another key, number or signature."""


class Handshake:
    """Two seeds and an account: who proves what to whom."""

    def __init__(
        self, version: LoginVersion, account: Account, local_seed: bytes, remote_seed: bytes
    ) -> None:
        if len(local_seed) != SEED_SIZE or len(remote_seed) != SEED_SIZE:
            raise ValueError("seeds have 16 bytes")
        self._version = version
        self._auth = account.digest(version)
        self._local = local_seed
        self._remote = remote_seed

    def plug_proof(self) -> bytes:
        """What the plug says of itself."""
        middle = self._remote if self._version is LoginVersion.V2 else b""
        return sha256(self._local + middle + self._auth).digest()

    def client_proof(self) -> bytes:
        """What the client has to say."""
        middle = self._local if self._version is LoginVersion.V2 else b""
        return sha256(self._remote + middle + self._auth).digest()

    def is_proved_by(self, proof: bytes) -> bool:
        """Whether the client knows the account."""
        return hmac.compare_digest(proof, self.client_proof())

    def seals(self) -> Seals:
        """The keys of the session that follows."""
        return Seals(self._local + self._remote + self._auth)


class Seals:
    """The keys of one session. Needs the package ``cryptography``, which comes with python-kasa."""

    def __init__(self, secret: bytes) -> None:
        self._key = sha256(b"lsk" + secret).digest()[:KEY_SIZE]
        whole_iv = sha256(b"iv" + secret).digest()
        self._iv = whole_iv[:IV_SIZE]
        self._mark = sha256(b"ldk" + secret).digest()[:MARK_SIZE]
        self.first_number = int.from_bytes(whole_iv[-4:], "big", signed=True)
        """The number from which the client counts up before each request."""

    def seal(self, plain: bytes, number: int) -> bytes:
        """Signature and cipher text of one message."""
        from cryptography.hazmat.primitives.padding import PKCS7

        padder = PKCS7(BLOCK_SIZE * 8).padder()
        encryptor = self._cipher(number).encryptor()
        cipher = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
        return self._sign(cipher, number) + cipher

    def open(self, sealed: bytes, number: int) -> bytes:
        """The clear text. Raises `BadSeal`."""
        from cryptography.hazmat.primitives.padding import PKCS7

        signature, cipher = sealed[:SIGNATURE_SIZE], sealed[SIGNATURE_SIZE:]
        if not cipher or len(cipher) % BLOCK_SIZE:
            raise BadSeal("no whole blocks")
        if not hmac.compare_digest(signature, self._sign(cipher, number)):
            raise BadSeal("another signature")
        decryptor = self._cipher(number).decryptor()
        unpadder = PKCS7(BLOCK_SIZE * 8).unpadder()
        try:
            padded = decryptor.update(cipher) + decryptor.finalize()
            return unpadder.update(padded) + unpadder.finalize()
        except ValueError as error:
            raise BadSeal("no padding") from error

    def _cipher(self, number: int) -> Cipher[CBC]:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        return Cipher(algorithms.AES(self._key), modes.CBC(self._iv + _in_bytes(number)))

    def _sign(self, cipher: bytes, number: int) -> bytes:
        return sha256(self._mark + _in_bytes(number) + cipher).digest()


def _in_bytes(number: int) -> bytes:
    try:
        return number.to_bytes(4, "big", signed=True)
    except OverflowError as error:
        raise BadSeal("a number beyond 32 bits") from error
