"""The rules for certificates."""

import ssl

from cqrs_openobserve.tls import tls_context


def test_certificates_are_checked_unless_told_otherwise() -> None:
    """The default verifies host and chain."""
    checked, unchecked = tls_context("", insecure=False), tls_context("", insecure=True)
    assert (checked.check_hostname, checked.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert (unchecked.check_hostname, unchecked.verify_mode) == (False, ssl.CERT_NONE)
    assert checked.minimum_version >= ssl.TLSVersion.TLSv1_2
