"""Programs for tests of `sealmesh run`; `OLD_STYLE` is the only one that knows of a mesh."""

SERVER = """
import http.server, os, sys
class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = os.environ["WORD"].encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
print("serving", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
"""
CLIENT = """
import sys, requests
try: print("got", requests.get(f"http://127.0.0.1:{sys.argv[1]}/", timeout=10).text)
except requests.RequestException as error: print("refused:", error)
"""
#: A Marble of MarbleRun's kind: nothing but the predefined variables and Python's own ssl.
OLD_STYLE = """
import os, socket, ssl, sys, tempfile
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if sys.argv[1] == "serve" else ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_REQUIRED
context.load_verify_locations(cadata=os.environ["MARBLE_PREDEFINED_ROOT_CA"])
with tempfile.NamedTemporaryFile("w") as pem:
    pem.write(os.environ["MARBLE_PREDEFINED_MARBLE_CERTIFICATE_CHAIN"])
    pem.write(os.environ["MARBLE_PREDEFINED_PRIVATE_KEY"])
    pem.flush()
    context.load_cert_chain(pem.name)
address = ("127.0.0.1", int(sys.argv[2]))
if sys.argv[1] == "serve":
    with socket.create_server(address) as listener:
        print("serving", flush=True)
        while True:
            caller, _ = listener.accept()
            try:
                with context.wrap_socket(caller, server_side=True) as wrapped:
                    wrapped.recv(9999)
                    wrapped.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 8\\r\\n")
                    wrapped.sendall(b"Connection: close\\r\\n\\r\\nold word")
            except OSError as error: print("caller refused", error, flush=True)
else:
    try:
        with socket.create_connection(address, 10) as plain, context.wrap_socket(plain) as wrapped:
            wrapped.sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
            got = b""
            while piece := wrapped.recv(9999): got += piece
            print("got", got.decode().rpartition("\\r\\n")[2])
    except OSError as error: print("refused:", error)
"""

#: Prints the signals it gets; 15 ends it with code 42.
SIGNALS = """
import signal, sys, time
def got(number, _):
    print("signal", number, flush=True)
    if number == signal.SIGTERM: sys.exit(42)
for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"):
    signal.signal(getattr(signal, name), got)
print("sleeping", flush=True)
while True: time.sleep(600)
"""
#: Leaves a grandchild behind that ends a little later.
ORPHANS = """
import os, sys, time
reader, writer = os.pipe()
if not os.fork():
    orphan = os.fork()
    if orphan: print("orphan", orphan, flush=True)
    else: os.read(reader, 1)
    os._exit(0)
os.wait()
os.close(reader); os.write(writer, b"x"); os.close(writer)
print("left", flush=True)
time.sleep(600)
"""
READER = """
import sys
print("read", sys.stdin.read(), flush=True)
print("and said", file=sys.stderr, flush=True)
"""
#: Speaks TLS by itself, with what every Marble is given, and no Python anywhere.
OPENSSL = """
printf '%s' "$MARBLE_PREDEFINED_ROOT_CA" > root.pem
printf '%s%s' "$MARBLE_PREDEFINED_MARBLE_CERTIFICATE_CHAIN" "$MARBLE_PREDEFINED_PRIVATE_KEY" > own.pem
printf 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' | "$1" s_client -quiet \
    -connect "127.0.0.1:$2" -CAfile root.pem -cert own.pem -key own.pem -verify_return_error 2>err.txt
"""
C_PROGRAM = """
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
int main(int count, char **words) {
    char line[99] = "";
    FILE *file = fopen("given/file", "r");
    if (file && fgets(line, sizeof line, file)) fclose(file);
    for (int i = 1; i < count; i++) printf("argument %s\\n", words[i]);
    printf("file %s\\nvariable %s\\n", line, getenv("WORD"));
    printf("key %s\\n", getenv("MARBLE_PREDEFINED_PRIVATE_KEY") ? "given" : "missing");
    return 9;
}
"""
#: Does its own TLS from files, and reads them again on SIGUSR1.
RELOADER = """
import signal, ssl, hashlib, time
loads = 0
def load(*_):
    global loads
    loads += 1
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("given/tls/identity.pem"); context.load_verify_locations("given/tls/root.pem")
    pem = open("given/tls/identity.pem").read().split("-----END CERTIFICATE-----")[0]
    print("loaded", loads, hashlib.sha256(pem.encode()).hexdigest(), flush=True)
signal.signal(signal.SIGUSR1, load)
load()
while True: time.sleep(600)
"""
