"""The rules for certificates."""

import ssl


def tls_context(ca_file: str, *, insecure: bool) -> ssl.SSLContext:
    """Make the rules for certificates.

    Args:
        ca_file: PEM file to trust instead of the system's certificates, or empty.
        insecure: check nothing.
    """
    context = ssl.create_default_context(cafile=ca_file or None)
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
