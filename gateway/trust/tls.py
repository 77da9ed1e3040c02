"""TLS credentials for both sides, and the agency that a peer's certificate names.

The only module of this package that knows gRPC.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import grpc
from cryptography import x509

from gateway.core.errors import ErrorCode, refuse
from gateway.core.identity import Agency, parse_uris


def server_credentials(cert: Path, key: Path, client_ca: Path) -> grpc.ServerCredentials:
    """Build credentials of a server that talks to nobody without a client certificate.

    Args:
        cert: server certificate, PEM, followed by intermediates if there are any.
        key: its private key, PEM.
        client_ca: CA certificates that client certificates are checked against, PEM.

    Returns:
        credentials for ``add_secure_port``.

    Raises:
        OSError: a file cannot be read.
    """
    return grpc.ssl_server_credentials(
        [(key.read_bytes(), cert.read_bytes())],
        root_certificates=client_ca.read_bytes(),
        require_client_auth=True,
    )


def channel_credentials(ca: Path, cert: Path, key: Path) -> grpc.ChannelCredentials:
    """Build credentials of a client that shows its certificate.

    Args:
        ca: CA certificates that the server certificate is checked against, PEM.
        cert: client certificate, PEM.
        key: its private key, PEM.

    Returns:
        credentials for ``secure_channel``.

    Raises:
        OSError: a file cannot be read.
    """
    return grpc.ssl_channel_credentials(
        root_certificates=ca.read_bytes(), private_key=key.read_bytes(), certificate_chain=cert.read_bytes()
    )


@lru_cache(maxsize=1024)
def peer_agency(certificate_pem: bytes) -> Agency:
    """Name the agency that a TLS peer's certificate stands for.

    The chain and the validity were checked by the handshake; this reads the name only, and never the common name.

    Args:
        certificate_pem: the peer's leaf certificate as gRPC gives it (auth context ``x509_pem_cert``).

    Returns:
        the agency of the one URI ``urn:fasttrack:agency:...`` in the subject alternative name.

    Raises:
        GatewayError: CALLER_UNIDENTIFIED when there is no such URI, more than one, or the certificate cannot be read.
    """
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = tuple(names.get_values_for_type(x509.UniformResourceIdentifier))
    except x509.ExtensionNotFound:
        uris = ()
    except (ValueError, x509.DuplicateExtension) as error:
        raise refuse(ErrorCode.CALLER_UNIDENTIFIED, message="the client certificate cannot be read") from error
    return parse_uris(uris)
