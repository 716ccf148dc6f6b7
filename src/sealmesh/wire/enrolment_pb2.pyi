from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ChallengeRequest(_message.Message):
    __slots__ = ("evidence",)
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    evidence: bytes
    def __init__(self, evidence: _Optional[bytes] = ...) -> None: ...

class ChallengeResponse(_message.Message):
    __slots__ = ("credential_blob", "encrypted_secret", "token")
    CREDENTIAL_BLOB_FIELD_NUMBER: _ClassVar[int]
    ENCRYPTED_SECRET_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    credential_blob: bytes
    encrypted_secret: bytes
    token: bytes
    def __init__(self, credential_blob: _Optional[bytes] = ..., encrypted_secret: _Optional[bytes] = ..., token: _Optional[bytes] = ...) -> None: ...

class ChallengeAnswer(_message.Message):
    __slots__ = ("token", "secret")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    token: bytes
    secret: bytes
    def __init__(self, token: _Optional[bytes] = ..., secret: _Optional[bytes] = ...) -> None: ...

class ActivateRequest(_message.Message):
    __slots__ = ("evidence", "csr", "marble_type", "uuid", "coordinator_nonce", "answer", "inflates")
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    CSR_FIELD_NUMBER: _ClassVar[int]
    MARBLE_TYPE_FIELD_NUMBER: _ClassVar[int]
    UUID_FIELD_NUMBER: _ClassVar[int]
    COORDINATOR_NONCE_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    INFLATES_FIELD_NUMBER: _ClassVar[int]
    evidence: bytes
    csr: bytes
    marble_type: str
    uuid: str
    coordinator_nonce: bytes
    answer: ChallengeAnswer
    inflates: bool
    def __init__(self, evidence: _Optional[bytes] = ..., csr: _Optional[bytes] = ..., marble_type: _Optional[str] = ..., uuid: _Optional[str] = ..., coordinator_nonce: _Optional[bytes] = ..., answer: _Optional[_Union[ChallengeAnswer, _Mapping]] = ..., inflates: _Optional[bool] = ...) -> None: ...

class ActivateResponse(_message.Message):
    __slots__ = ("coordinator_evidence", "coordinator_endorsements", "coordinator_chain", "certificate_chain", "marble_root", "files", "env", "argv", "access_policy", "ttls", "not_after_unix", "renew_after_unix", "trust_domain", "simulation", "relaxations", "coordinator_endorsements_deflated")
    class FilesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: bytes
        def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...
    class EnvEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: bytes
        def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...
    COORDINATOR_EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    COORDINATOR_ENDORSEMENTS_FIELD_NUMBER: _ClassVar[int]
    COORDINATOR_CHAIN_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_CHAIN_FIELD_NUMBER: _ClassVar[int]
    MARBLE_ROOT_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    ENV_FIELD_NUMBER: _ClassVar[int]
    ARGV_FIELD_NUMBER: _ClassVar[int]
    ACCESS_POLICY_FIELD_NUMBER: _ClassVar[int]
    TTLS_FIELD_NUMBER: _ClassVar[int]
    NOT_AFTER_UNIX_FIELD_NUMBER: _ClassVar[int]
    RENEW_AFTER_UNIX_FIELD_NUMBER: _ClassVar[int]
    TRUST_DOMAIN_FIELD_NUMBER: _ClassVar[int]
    SIMULATION_FIELD_NUMBER: _ClassVar[int]
    RELAXATIONS_FIELD_NUMBER: _ClassVar[int]
    COORDINATOR_ENDORSEMENTS_DEFLATED_FIELD_NUMBER: _ClassVar[int]
    coordinator_evidence: bytes
    coordinator_endorsements: bytes
    coordinator_chain: _containers.RepeatedScalarFieldContainer[bytes]
    certificate_chain: _containers.RepeatedScalarFieldContainer[bytes]
    marble_root: bytes
    files: _containers.ScalarMap[str, bytes]
    env: _containers.ScalarMap[str, bytes]
    argv: _containers.RepeatedScalarFieldContainer[str]
    access_policy: bytes
    ttls: bytes
    not_after_unix: int
    renew_after_unix: int
    trust_domain: str
    simulation: bool
    relaxations: _containers.RepeatedScalarFieldContainer[str]
    coordinator_endorsements_deflated: bytes
    def __init__(self, coordinator_evidence: _Optional[bytes] = ..., coordinator_endorsements: _Optional[bytes] = ..., coordinator_chain: _Optional[_Iterable[bytes]] = ..., certificate_chain: _Optional[_Iterable[bytes]] = ..., marble_root: _Optional[bytes] = ..., files: _Optional[_Mapping[str, bytes]] = ..., env: _Optional[_Mapping[str, bytes]] = ..., argv: _Optional[_Iterable[str]] = ..., access_policy: _Optional[bytes] = ..., ttls: _Optional[bytes] = ..., not_after_unix: _Optional[int] = ..., renew_after_unix: _Optional[int] = ..., trust_domain: _Optional[str] = ..., simulation: _Optional[bool] = ..., relaxations: _Optional[_Iterable[str]] = ..., coordinator_endorsements_deflated: _Optional[bytes] = ...) -> None: ...

class RenewRequest(_message.Message):
    __slots__ = ("evidence", "csr", "answer")
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    CSR_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    evidence: bytes
    csr: bytes
    answer: ChallengeAnswer
    def __init__(self, evidence: _Optional[bytes] = ..., csr: _Optional[bytes] = ..., answer: _Optional[_Union[ChallengeAnswer, _Mapping]] = ...) -> None: ...

class RenewResponse(_message.Message):
    __slots__ = ("coordinator_chain", "certificate_chain", "marble_root", "access_policy", "ttls", "not_after_unix", "renew_after_unix", "trust_domain", "simulation", "relaxations")
    COORDINATOR_CHAIN_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_CHAIN_FIELD_NUMBER: _ClassVar[int]
    MARBLE_ROOT_FIELD_NUMBER: _ClassVar[int]
    ACCESS_POLICY_FIELD_NUMBER: _ClassVar[int]
    TTLS_FIELD_NUMBER: _ClassVar[int]
    NOT_AFTER_UNIX_FIELD_NUMBER: _ClassVar[int]
    RENEW_AFTER_UNIX_FIELD_NUMBER: _ClassVar[int]
    TRUST_DOMAIN_FIELD_NUMBER: _ClassVar[int]
    SIMULATION_FIELD_NUMBER: _ClassVar[int]
    RELAXATIONS_FIELD_NUMBER: _ClassVar[int]
    coordinator_chain: _containers.RepeatedScalarFieldContainer[bytes]
    certificate_chain: _containers.RepeatedScalarFieldContainer[bytes]
    marble_root: bytes
    access_policy: bytes
    ttls: bytes
    not_after_unix: int
    renew_after_unix: int
    trust_domain: str
    simulation: bool
    relaxations: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, coordinator_chain: _Optional[_Iterable[bytes]] = ..., certificate_chain: _Optional[_Iterable[bytes]] = ..., marble_root: _Optional[bytes] = ..., access_policy: _Optional[bytes] = ..., ttls: _Optional[bytes] = ..., not_after_unix: _Optional[int] = ..., renew_after_unix: _Optional[int] = ..., trust_domain: _Optional[str] = ..., simulation: _Optional[bool] = ..., relaxations: _Optional[_Iterable[str]] = ...) -> None: ...

class ErrorDetail(_message.Message):
    __slots__ = ("code", "message", "found", "wanted", "remedy", "mismatches")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    WANTED_FIELD_NUMBER: _ClassVar[int]
    REMEDY_FIELD_NUMBER: _ClassVar[int]
    MISMATCHES_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    found: str
    wanted: str
    remedy: str
    mismatches: _containers.RepeatedCompositeFieldContainer[Mismatch]
    def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ..., found: _Optional[str] = ..., wanted: _Optional[str] = ..., remedy: _Optional[str] = ..., mismatches: _Optional[_Iterable[_Union[Mismatch, _Mapping]]] = ...) -> None: ...

class Mismatch(_message.Message):
    __slots__ = ("field", "found", "wanted")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    WANTED_FIELD_NUMBER: _ClassVar[int]
    field: str
    found: str
    wanted: str
    def __init__(self, field: _Optional[str] = ..., found: _Optional[str] = ..., wanted: _Optional[str] = ...) -> None: ...
