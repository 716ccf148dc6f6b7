"""TLS and policy enforcement inside the Marble's own process.

An unmodified Python program is started with `inject/` first on its `PYTHONPATH`. Before its first line,
`sitecustomize` there replaces `_socket.socket`, the C base of every Python socket. From then on

1. a descriptor of the program is never a wire: at `connect` and `accept` it becomes one end of a socket
   pair, and a pump thread does TLS 1.3 between the other end and the wire;
2. no byte of the program moves before the peer's certificate, its SPIFFE ID and the access policy have
   been judged, on both sides;
3. what no rule covers is refused with `PermissionError`, and whatever keeps the wrap from starting ends
   the process before the program begins;
4. credentials, rules and options come from the Marble's agent alone, never from the environment, and new
   ones count for the next connection.

Only the standard library, `sealmesh.errors` and `sealmesh.policy` are used: the modules are loaded by path
into interpreters that have no sealmesh installed, then taken out of `sys.modules`, so nothing here imports
lazily. What does not go through Python's sockets (C extensions, `ctypes`) is not seen here; the kernel has
to stop it.
"""
