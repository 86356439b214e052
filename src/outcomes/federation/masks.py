"""Pairwise masks: each site's numbers look random, and the masks of all sites cancel in their sum.

Every pair of sites agrees on a secret by X25519; for each question it becomes a stream of numbers that one site of the
pair adds and the other subtracts (secure aggregation; Bonawitz et al. 2017, doi 10.1145/3133956.3133982, without the
recovery of sites that drop out: a round waits for all). Numbers are integers modulo 2^192 in units of 2^-64, so that
the masks cancel exactly and a masked number alone is uniform: it says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from outcomes.errors import UsageError

UNIT_BITS = 64
MODULUS_BITS = 192
_BYTES = MODULUS_BITS // 8
_MODULUS = 1 << MODULUS_BITS


def new_key() -> str:
    """A private key, as hexadecimal text."""
    return _x25519().X25519PrivateKey.generate().private_bytes_raw().hex()


def public_key(private: str) -> str:
    """The public key of a private one."""
    return _private(private).public_key().public_bytes_raw().hex()


def mask(values: np.ndarray, private: str, own: str, publics: Mapping[str, str], context: str) -> list[str]:
    """Hide a site's numbers.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Finite, below 2^126 in size.
    private : str
        The site's private key.
    own : str
        The site's name.
    publics : mapping of str to str
        Public keys of all sites by name.
    context : str
        What the numbers answer. The same context must never hide two sets of numbers: it has the question's hash.

    Returns
    -------
    list of str
        n integers in hexadecimal.
    """
    whole = [_to_integer(value) for value in values]
    for site, public in publics.items():
        if site == own:
            continue
        sign = 1 if own < site else -1
        stream = _stream(private, public, "|".join([context, *sorted((own, site))]), len(whole))
        whole = [(value + sign * hidden) % _MODULUS for value, hidden in zip(whole, stream, strict=True)]
    return [f"{value:x}" for value in whole]


def unmask_sum(masked: Sequence[Sequence[str]]) -> np.ndarray:
    """The sum of all sites' numbers, from the masked numbers of all of them."""
    sums = [sum(int(value, 16) for value in column) % _MODULUS for column in zip(*masked, strict=True)]
    signed = [value - _MODULUS if value >= _MODULUS // 2 else value for value in sums]
    return np.array([value / (1 << UNIT_BITS) for value in signed])


def _to_integer(value: float) -> int:
    mantissa, exponent = np.frexp(value)
    scaled = int(mantissa * (1 << 53))  # exact: a double has 53 bits
    shift = int(exponent) - 53 + UNIT_BITS
    return (scaled << shift if shift >= 0 else round(scaled / (1 << -shift))) % _MODULUS


def _stream(private: str, public: str, context: str, n: int) -> list[int]:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    try:
        secret = _private(private).exchange(_x25519().X25519PublicKey.from_public_bytes(bytes.fromhex(public)))
    except ValueError:
        raise UsageError("The public key of a site cannot be used.", "let that site join anew, in a new plan") from None
    key = HKDF(hashes.SHA256(), 32, salt=None, info=f"outcomes federate {context}".encode()).derive(secret)
    content = Cipher(algorithms.ChaCha20(key, bytes(16)), mode=None).encryptor().update(bytes(n * _BYTES))
    return [int.from_bytes(content[i : i + _BYTES], "big") for i in range(0, len(content), _BYTES)]


def _private(key: str):
    return _x25519().X25519PrivateKey.from_private_bytes(bytes.fromhex(key))


def _x25519():
    try:
        from cryptography.hazmat.primitives.asymmetric import x25519
    except ImportError:
        raise UsageError(
            "Masks need the package cryptography.", "install it: pip install 'outcomes[federate]'"
        ) from None
    return x25519
