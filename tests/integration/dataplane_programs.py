"""Plain programs, none of which knows of TLS or sealmesh."""

HTTP_SERVER = """
import http.server, sys
BODY = b"CANARY-secret-0123456789"
class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", str(len(BODY))); self.end_headers()
        self.wfile.write(BODY)
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
"""

_ASGI = """
import sys, uvicorn
BODY = b"CANARY-secret-0123456789"
async def app(scope, receive, send):
    if scope["type"] != "http": return
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-length", str(len(BODY)).encode())]})
    await send({"type": "http.response.body", "body": BODY})
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error", loop="%s")
"""
UVICORN_ASYNCIO = _ASGI % "asyncio"
UVICORN_UVLOOP = _ASGI % "uvloop"

UVICORN_WORKERS = """
import os, shutil, sys, uvicorn
sys.path.insert(0, os.getcwd())
BODY = b"CANARY-secret-0123456789"
async def app(scope, receive, send):
    if scope["type"] != "http": return
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-length", str(len(BODY)).encode())]})
    await send({"type": "http.response.body", "body": BODY})
if __name__ == "__main__":
    shutil.copy(__file__, "served.py")  # workers import it by name
    uvicorn.run("served:app", host="127.0.0.1", port=int(sys.argv[1]), log_level="error", workers=2)
"""

_STREAMS = """
import asyncio, sys
%s
BODY = b"CANARY-secret-0123456789"
async def answer(reader, writer):
    while True:
        head = await reader.readuntil(b"\\r\\n\\r\\n")
        writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: %%d\\r\\n\\r\\n" %% len(BODY) + BODY)
        await writer.drain()
async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()
%s(main())
"""
ASYNCIO_SERVER = _STREAMS % ("", "asyncio.run")
UVLOOP_SERVER = _STREAMS % ("import uvloop", "uvloop.run")

FORKING_SERVER = """
import socketserver, sys
BODY = b"CANARY-secret-0123456789"
class Answer(socketserver.StreamRequestHandler):
    def handle(self):
        while line := self.rfile.readline():
            if line == b"\\r\\n":
                self.wfile.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(BODY) + BODY)
socketserver.ForkingTCPServer.allow_reuse_address = True
socketserver.ForkingTCPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""

SERVERS = {
    "http.server": HTTP_SERVER,
    "uvicorn on asyncio": UVICORN_ASYNCIO,
    "uvicorn on uvloop": UVICORN_UVLOOP,
    "uvicorn with two workers": UVICORN_WORKERS,
    "asyncio streams": ASYNCIO_SERVER,
    "uvloop streams": UVLOOP_SERVER,
    "socketserver with forks": FORKING_SERVER,
}

_URL = 'URL = f"http://127.0.0.1:{sys.argv[1]}/"\n'
REQUESTS = (
    "import sys, requests\n"
    + _URL
    + """
session = requests.Session(); session.trust_env = False
for _ in range(3): answer = session.get(URL, timeout=10)
print("got", answer.text)
"""
)
HTTPX = (
    "import sys, httpx\n"
    + _URL
    + """
with httpx.Client(trust_env=False) as client:
    for _ in range(3): answer = client.get(URL)
print("got", answer.text)
"""
)
_HTTPX_ASYNC = (
    "import asyncio, sys, httpx\n%s\n"
    + _URL
    + """
async def main():
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(3): answer = await client.get(URL)
    print("got", answer.text)
%s(main())
"""
)
_STREAM_CLIENT = """
import asyncio, sys
%s
async def main():
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
    writer.write(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
    print("got", (await reader.readuntil(b"0123456789")).decode())
    assert writer.get_extra_info("peername")[:2] == ("127.0.0.1", int(sys.argv[1]))
    writer.close()
%s(main())
"""
URLLIB = (
    "import sys, urllib.request\n"
    + _URL
    + """
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
print("got", opener.open(URL, timeout=10).read().decode())
"""
)
SELECTORS = """
import errno, selectors, socket, sys
sock = socket.socket(); sock.setblocking(False)
assert sock.connect_ex(("127.0.0.1", int(sys.argv[1]))) == errno.EINPROGRESS
ready = selectors.DefaultSelector(); ready.register(sock, selectors.EVENT_WRITE)
assert ready.select(10) and sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
sock.send(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"); ready.modify(sock, selectors.EVENT_READ)
got = b""
while not got.endswith(b"0123456789"):
    assert ready.select(10)
    got += sock.recv(5)
print("got", got.decode())
"""
DESCRIPTORS = """
import os, socket, sys
sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10); sock.settimeout(None)
sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
twin = sock.dup(); assert twin.getpeername() == sock.getpeername()
os.write(sock.fileno(), b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
assert twin.recv(4, socket.MSG_PEEK) == b"HTTP"
sock.close(); again = socket.socket(fileno=twin.detach())
assert again.family == socket.AF_INET and again.getpeername()[1] == int(sys.argv[1])
got = b""
while not got.endswith(b"0123456789"): got += os.read(again.fileno(), 7)
print("got", got.decode())
"""
SUBPROCESS = f"""
import subprocess, sys
print(subprocess.check_output([sys.executable, "-c", {URLLIB!r}, sys.argv[1]], text=True))
"""
FORKED = (
    """
import os, sys, urllib.request
"""
    + _URL
    + """
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
opener.open(URL, timeout=10).read()
child = os.fork()
if child == 0:
    opener.open(URL, timeout=10).read()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print("got", opener.open(URL, timeout=10).read().decode())
"""
)

CLIENTS = {
    "requests": REQUESTS,
    "httpx": HTTPX,
    "httpx async": _HTTPX_ASYNC % ("", "asyncio.run"),
    "httpx on uvloop": _HTTPX_ASYNC % ("import uvloop", "uvloop.run"),
    "asyncio streams": _STREAM_CLIENT % ("", "asyncio.run"),
    "uvloop streams": _STREAM_CLIENT % ("import uvloop", "uvloop.run"),
    "urllib": URLLIB,
    "non-blocking selectors": SELECTORS,
    "raw descriptors": DESCRIPTORS,
    "a Python child process": SUBPROCESS,
    "a forked child": FORKED,
}
