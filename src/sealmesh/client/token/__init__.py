"""Keys in a PKCS#11 token (an HSM, a card): users' and recovery keys that never leave it.

Needs the extra `hsm` (`pip install 'sealmesh[hsm]'`).

    token = open_token(Path("pkcs11.json"))
    user = token.user(Place(label="ada"))
    verified.connect(user=user).write_secrets(...)
"""

from sealmesh.errors.client import TokenError

try:
    from sealmesh.client.token.configuration import TokenConfiguration, parse_token_configuration
    from sealmesh.client.token.key import TokenKey
    from sealmesh.client.token.place import Place
    from sealmesh.client.token.token import Token, open_token
    from sealmesh.client.token.user import TokenUser
except ImportError as error:
    raise TokenError(
        "keys in tokens need more packages", found=error, remedy="pip install 'sealmesh[hsm]'"
    ) from error

__all__ = [
    "Place",
    "Token",
    "TokenConfiguration",
    "TokenKey",
    "TokenUser",
    "open_token",
    "parse_token_configuration",
]
