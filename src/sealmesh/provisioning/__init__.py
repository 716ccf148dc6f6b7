"""Secrets, templates, and the argv, environment and files of one Marble.

In the order of use:

* a manifest is written: `check_source`, offline;
* a manifest is set: `try_templates`, then `generate_shared_key` and `generate_certificate` for shared
  secrets, `compile_access`, `compile_parameters`;
* a Marble is activated: `compiled.marble(type).needed` names the secrets to fetch; `derive_private_key` and
  `generate_certificate` make the private ones; `ttls_config` (MarbleRun's call) or `own_ttls` (ours), then
  `render_parameters`;
* a user uploads secrets: `check_uploads`, then `try_templates` with the new values.
"""

from sealmesh.provisioning.access import compile_access
from sealmesh.provisioning.checking import CheckedManifest, check_source
from sealmesh.provisioning.compiled import (
    CompiledMarble,
    CompiledParameters,
    compile_parameters,
    needed_secrets,
)
from sealmesh.provisioning.data.root import MarbleRunSecrets
from sealmesh.provisioning.generation import derive_private_key, generate_certificate, generate_shared_key
from sealmesh.provisioning.pem import to_pem
from sealmesh.provisioning.placeholder import placeholder
from sealmesh.provisioning.rendering import RESERVED_VARIABLES, RenderedParameters, render_parameters
from sealmesh.provisioning.secret import Secret
from sealmesh.provisioning.trial import try_templates
from sealmesh.provisioning.ttls import own_ttls, ttls_config
from sealmesh.provisioning.upload import Upload, check_uploads

__all__ = [
    "RESERVED_VARIABLES",
    "CheckedManifest",
    "CompiledMarble",
    "CompiledParameters",
    "MarbleRunSecrets",
    "RenderedParameters",
    "Secret",
    "Upload",
    "check_source",
    "check_uploads",
    "compile_access",
    "compile_parameters",
    "derive_private_key",
    "generate_certificate",
    "generate_shared_key",
    "needed_secrets",
    "own_ttls",
    "placeholder",
    "render_parameters",
    "to_pem",
    "try_templates",
    "ttls_config",
]
