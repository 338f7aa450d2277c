#!/usr/bin/env python3
"""http_server.py DIRECTORY [CERTIFICATE KEY]: serves DIRECTORY/file in the ways in which downloads go wrong.

Writes its port to DIRECTORY/port and a line for each request to DIRECTORY/requests.
"""
import http.server, os, ssl, sys, time

directory = sys.argv[1]
content = open(f'{directory}/file', 'rb').read()
failures = {}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open(f'{directory}/requests', 'a') as log:
            print(self.path, self.headers.get('Range', '-'), file=log)
        count = failures[self.path] = failures.get(self.path, 0) + 1
        if self.path == '/redirect':
            self.send_response(302)
            self.send_header('Location', '/good')
            self.send_header('Content-Length', '0')
            self.end_headers()
        elif self.path == '/busy' and count == 1:
            self.send_error(503)
        elif self.path == '/broken' and count == 1:     # half of it, then the connection ends
            self.answer(upto=len(content) // 2)
        elif self.path == '/slow':
            self.answer(pieces=10, pause=0.7)
        elif self.path.startswith('/steady'):           # over about half a second
            self.answer(content[::-1] if 'wrong' in self.path else content, pieces=25, pause=0.02)
        elif self.path == '/no-ranges':
            self.answer(ranges=False, upto=len(content) // 2 if count == 1 else None)
        elif self.path == '/half':                      # never more than half of it
            self.answer(upto=len(content) // 2)
        elif self.path == '/wrong':
            self.answer(content=content[::-1])
        elif self.path.startswith('/missing'):
            self.send_error(404)
        else:
            self.answer()

    def answer(self, content=content, upto=None, pieces=1, pause=0, ranges=True):
        start = 0
        asked = self.headers.get('Range')
        if asked and ranges:
            start = int(asked.split('=')[1].split('-')[0])
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header('Content-Range', f'bytes {start}-{len(content) - 1}/{len(content)}')
        else:
            self.send_response(200)
        self.send_header('Content-Length', str(len(content) - start))
        self.end_headers()
        body = content[start:upto]
        step = max(1, -(-len(body) // pieces))
        try:
            for at in range(0, len(body), step):
                self.wfile.write(body[at:at + step])
                self.wfile.flush()
                time.sleep(pause)
        except ConnectionError:                         # who asked was killed
            self.close_connection = True

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
server.daemon_threads = True
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open(f'{directory}/port.new', 'w') as file:
    file.write(str(server.server_port))
os.rename(f'{directory}/port.new', f'{directory}/port')
server.serve_forever()
