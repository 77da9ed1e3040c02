"""The README of an evidence pack: what is in it, and how to check it with openssl alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature of the pack.

    Args:
        folder: holds signed.bin, signature.bin and signer.pem.
        algorithm: EdDSA, ES256 or SM2SM3.
        at: when the gateway recorded it; its certificates must have been valid then.
    """

    folder: str
    algorithm: str
    at: datetime


_VERIFY = {
    "EdDSA": "openssl pkeyutl -verify -pubin -inkey $KEY -rawin -in {f}/signed.bin -sigfile {f}/signature.bin",
    "ES256": "openssl dgst -sha256 -verify $KEY -signature {f}/signature.bin {f}/signed.bin",
    "SM2SM3": (
        "openssl pkeyutl -verify -pubin -inkey $KEY -rawin -digest sm3 -pkeyopt distid:1234567812345678"
        " -in {f}/signed.bin -sigfile {f}/signature.bin"
    ),
}
_TEXT = """# Evidence of case {case}

Everything that the log `{origin}` holds about one case. The folder is a BagIt bag (RFC 8493): any BagIt validator
checks that no file was changed since the pack was made. Who has `fasttrack` runs `fasttrack verify` on the zip,
offline; what follows needs nothing but OpenSSL 3.

| Files | What |
|---|---|
| `leaves/N.json` | entry N of the ledger, byte for byte; its hash is SHA-256 of a zero byte and the file |
| `proofs/N.json` | the hashes that lead from it to the root of the tree (RFC 6962, section 2.1.1) |
| `head/checkpoint` | that root, signed by the log and cosigned by witnesses (C2SP tlog-checkpoint) |
| `head/token.der` | time stamp of `head/signed-note` (RFC 3161) |
| `receipts/N.jws` | what the gateway promised for entry N: JWS of a batch, `~`, the way from the entry to its root |
| `bundles/ID/` | manifest as its sender signed it, and the record in the sender's own schema |
| `signers/N/` | entry that registers or revokes a key that signed, its proof, the certificate |
| `renditions/N/` | what the receiver was given at entry N, and where each field went |
| `details/N.json` | text of the decision at entry N |
| `facts/N.json` | what entry N says has happened: words, moments and pseudonyms, by which statutory limits run |
| `materials/` | documents, named by their SHA-256 (`case.json` lists all, also those that were left out) |
| `keys/` | CA of the signing certificates, witness policy, CA of time stamps: compare them with copies of your own |

Each folder with a signature has `signed.bin` (what was signed), `signature.bin` and `signer.pem` (certificate, then
those above it). `signed.bin` is the JWS without its last part (in a receipt the JWS ends at the `~`).

## Signatures and chains, with openssl

Run this in the folder that holds this file.

```sh
set -e
KEY=$(mktemp)
{commands}rm -f $KEY
```
"""


def write_readme(origin: str, case: str, signed: Sequence[Signed], stamped_sha256: str) -> str:
    """Write the README.

    Args:
        origin: name of the log.
        case: pseudonym of the case.
        signed: every signature.
        stamped_sha256: digest that the time stamp is for, hexadecimal; "" when there is none.

    Returns:
        Markdown; its one code block is a shell script.
    """
    lines = []
    for item in signed:
        at = int(item.at.timestamp())
        lines += [
            f"openssl x509 -in {item.folder}/signer.pem -pubkey -noout > $KEY",
            _VERIFY.get(item.algorithm, _VERIFY["EdDSA"]).format(f=item.folder),
            f"openssl verify -attime {at} -CAfile keys/signing-ca.pem -untrusted {item.folder}/signer.pem"
            f" {item.folder}/signer.pem",
        ]
    if stamped_sha256:
        lines.append(
            f"openssl ts -verify -digest {stamped_sha256} -in head/token.der -token_in -CAfile keys/tsa-ca.pem"
        )
        lines.append(f'test "$(openssl dgst -sha256 -r head/signed-note | cut -c1-64)" = {stamped_sha256}')
    return _TEXT.format(origin=origin, case=case, commands="".join(f"{line}\n" for line in lines))
