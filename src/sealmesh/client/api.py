"""A Coordinator's client API, waiting or awaiting: every act is one exchange, listed here once each.

    with verify_coordinator("shop.example:4433", policy=policy).connect(user=read_user(cert, key)) as shop:
        shop.write_secrets({"pin": SecretUpload(key=b"...")})

An act that is missing here can be asked all the same: `shop.ask(read_status())`.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from sealmesh.client.connection import AsyncConnection, Connection
from sealmesh.client.counter import raise_counter
from sealmesh.client.drill import drill
from sealmesh.client.exchange import Exchange
from sealmesh.client.governance import read_approvals, read_governance, submit_approval
from sealmesh.client.manifest import read_manifest, read_update_log, set_manifest
from sealmesh.client.quote import read_quote, read_statement, sign_quote
from sealmesh.client.recovery import read_recovery_key, recover
from sealmesh.client.result import read_result
from sealmesh.client.secret import read_secrets, write_secrets
from sealmesh.client.status import read_status
from sealmesh.client.update import acknowledge_update, apply_update, cancel_update, read_pending_update

P = ParamSpec("P")
T = TypeVar("T")


def _waiting(exchange: Callable[P, Exchange[T]]) -> Callable[Concatenate[Connection, P], T]:
    @wraps(exchange)
    def method(self: Connection, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.ask(exchange(*args, **kwargs))

    return method


def _awaiting(
    exchange: Callable[P, Exchange[T]],
) -> Callable[Concatenate[AsyncConnection, P], Awaitable[T]]:
    @wraps(exchange)
    async def method(self: AsyncConnection, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.ask(exchange(*args, **kwargs))

    return method


class CoordinatorApi(Connection):
    """A Coordinator's client API. Who answers is decided by the TLS context alone."""

    status = _waiting(read_status)
    quote = _waiting(read_quote)
    statement = _waiting(read_statement)
    manifest = _waiting(read_manifest)
    set_manifest = _waiting(set_manifest)
    update_log = _waiting(read_update_log)
    update = _waiting(apply_update)
    acknowledge = _waiting(acknowledge_update)
    pending_update = _waiting(read_pending_update)
    cancel_update = _waiting(cancel_update)
    secrets = _waiting(read_secrets)
    write_secrets = _waiting(write_secrets)
    recover = _waiting(recover)
    drill = _waiting(drill)
    recovery_key = _waiting(read_recovery_key)
    sign_quote = _waiting(sign_quote)
    result = _waiting(read_result)
    raise_counter = _waiting(raise_counter)
    governance = _waiting(read_governance)
    submit_approval = _waiting(submit_approval)
    approvals = _waiting(read_approvals)


class AsyncCoordinatorApi(AsyncConnection):
    """The same for asyncio (or trio)."""

    status = _awaiting(read_status)
    quote = _awaiting(read_quote)
    statement = _awaiting(read_statement)
    manifest = _awaiting(read_manifest)
    set_manifest = _awaiting(set_manifest)
    update_log = _awaiting(read_update_log)
    update = _awaiting(apply_update)
    acknowledge = _awaiting(acknowledge_update)
    pending_update = _awaiting(read_pending_update)
    cancel_update = _awaiting(cancel_update)
    secrets = _awaiting(read_secrets)
    write_secrets = _awaiting(write_secrets)
    recover = _awaiting(recover)
    drill = _awaiting(drill)
    recovery_key = _awaiting(read_recovery_key)
    sign_quote = _awaiting(sign_quote)
    result = _awaiting(read_result)
    raise_counter = _awaiting(raise_counter)
    governance = _awaiting(read_governance)
    submit_approval = _awaiting(submit_approval)
    approvals = _awaiting(read_approvals)
