"""Try all templates before a manifest, or a secret's new value, is accepted (COMPAT sections 8 and 9)."""

from collections.abc import Mapping

from sealmesh.manifest import Manifest
from sealmesh.provisioning.compiled import CompiledParameters, compile_parameters
from sealmesh.provisioning.data.root import data_root
from sealmesh.provisioning.gotemplate import Value
from sealmesh.provisioning.placeholder import placeholder, placeholder_profile, placeholder_specials
from sealmesh.provisioning.secret import Secret

__all__ = ["trial_data", "try_templates"]

_NO_SECRETS: Mapping[str, Secret] = {}


def try_templates(manifest: Manifest, secrets: Mapping[str, Secret] = _NO_SECRETS) -> CompiledParameters:
    """Render every template of every Marble with placeholder values; return them parsed.

    A template that passes can still fail at an activation: where a user-defined secret was not uploaded,
    or where a branch is taken that the placeholders do not take.

    Args:
        manifest: Parsed and checked.
        secrets: Values to use instead of placeholders, such as those just uploaded.

    Raises:
        TemplateRefused: The first template that does not parse or cannot be executed.
        SecretNotGenerated: A certificate's definition cannot be written into a certificate.
    """
    compiled = compile_parameters(manifest)
    data = trial_data(manifest, secrets)
    for marble_type in manifest.marbles:
        marble = compiled.marble(marble_type)
        for parameter in (*marble.files, *marble.env):
            parameter.render(data)
    return compiled


def trial_data(manifest: Manifest, secrets: Mapping[str, Secret] = _NO_SECRETS) -> Value:
    """Return what the templates of `manifest` are tried with.

    Raises:
        SecretNotGenerated: A certificate's definition cannot be written into a certificate.
    """
    placeholders = {name: placeholder(item) for name, item in manifest.secrets.items()}
    profiles = {
        name: placeholder_profile(item, name)
        for name, item in manifest.secrets.items()
        if item.type.is_certificate and name not in secrets
    }
    return data_root(
        placeholder_specials(),
        secrets=placeholders | dict(secrets),
        previous=placeholders,
        profiles=profiles,
    )
