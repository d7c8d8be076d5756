"""How PostgreSQL keeps a password (RFC 5802): SQL and the logs of it need never hold the password itself."""

import base64
import hashlib
import hmac
import secrets

ROUNDS = 4096


def verifier(password: str, salt: bytes = b"") -> str:
    """SCRAM-SHA-256 verifier of a password of ASCII characters; the salt is random where none is given."""
    salt = salt or secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, ROUNDS)
    stored = hashlib.sha256(signed(salted, b"Client Key")).digest()
    server = signed(salted, b"Server Key")
    return f"SCRAM-SHA-256${ROUNDS}:{encoded(salt)}${encoded(stored)}:{encoded(server)}"


def signed(key: bytes, words: bytes) -> bytes:
    """HMAC-SHA-256."""
    return hmac.digest(key, words, "sha256")


def encoded(content: bytes) -> str:
    """Base64."""
    return base64.b64encode(content).decode()
