"""What a manifest's certificate secret shall say, with the contract's defaults (COMPAT section 9)."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import Final, TypeVar

from sealmesh.manifest import CertificateTemplate, SecretDefinition, SubjectTemplate
from sealmesh.pki import SecretCertificateProfile, Subject, SubjectNames

__all__ = ["DEFAULT_DAYS", "certificate_profile", "effective_days"]

DEFAULT_DAYS: Final = 365
_DNS: Final = ("localhost",)
_ADDRESSES: Final = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
#: MarbleRun's word; programs may look for it.
_COMMON_NAME: Final = "MarbleRun Generated Certificate"
_KEY_USAGE: Final = 1 | 32
_EXTENDED_KEY_USAGE: Final = (1, 2)
_LATEST: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_MAX_DAYS: Final = 3_650_000

Item = TypeVar("Item")


def effective_days(definition: SecretDefinition) -> int:
    """Return for how many days a certificate lives; 0 where the manifest fixes its end."""
    template = definition.certificate
    if definition.valid_for or (template is not None and template.not_after is not None):
        return definition.valid_for
    return DEFAULT_DAYS


def certificate_profile(definition: SecretDefinition, *, now: datetime) -> SecretCertificateProfile:
    """Return the profile of the certificate that `definition` asks for at `now`."""
    template = definition.certificate or CertificateTemplate()
    return SecretCertificateProfile(
        subject=_subject(template.subject, template.dns_names),
        names=SubjectNames(
            dns=_list(template.dns_names, _DNS, definition),
            emails=template.email_addresses or (),
            ips=_list(template.ip_addresses, _ADDRESSES, definition),
            uris=template.uris or (),
        ),
        not_after=template.not_after or _end(now, effective_days(definition)),
        key_usage=template.key_usage or _KEY_USAGE,
        extended_key_usage=_list(template.ext_key_usage, _EXTENDED_KEY_USAGE, definition),
        is_ca=template.is_ca,
        path_length=_path_length(template),
    )


def _end(now: datetime, days: int) -> datetime:
    # More days than the calendar has are "as long as can be written".
    return _LATEST if days > _MAX_DAYS or now.year * 366 + days > 9998 * 365 else now + timedelta(days=days)


def _list(
    given: tuple[Item, ...] | None, default: tuple[Item, ...], definition: SecretDefinition
) -> tuple[Item, ...]:
    """Return what is given; an empty list counts as given for shared certificates only, as with MarbleRun."""
    if given is None or (not given and not definition.shared):
        return default
    return given


def _path_length(template: CertificateTemplate) -> int | None:
    if template.max_path_len > 0 or (template.max_path_len == 0 and template.max_path_len_zero):
        return template.max_path_len
    return None


def _subject(subject: SubjectTemplate, dns_names: tuple[str, ...] | None) -> Subject:
    """Fill in the common name: the only DNS name, looked at before the default list takes its place."""
    names = _DNS if dns_names is None else dns_names
    default = names[0] if len(names) == 1 else _COMMON_NAME
    return Subject(
        common_name=subject.common_name or default,
        serial_number=subject.serial_number or None,
        country=subject.country,
        organization=subject.organization,
        organizational_unit=subject.organizational_unit,
        locality=subject.locality,
        province=subject.province,
        street_address=subject.street_address,
        postal_code=subject.postal_code,
    )
