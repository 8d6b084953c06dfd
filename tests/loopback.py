"""A model server on loopback that speaks two providers' wires, says what it is told, and remembers what it was asked."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def openai(text, usage=None, model="served-model", cut=False):
    """Make the bytes of a streamed chat completion."""
    out = []
    pieces = [text[at : at + 7] for at in range(0, len(text), 7)]
    out += [{"model": model, "choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]
    if not cut:
        out.append({"model": model, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        usage = usage or {"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 40}}
        out.append({"model": model, "choices": [], "usage": usage})
    body = "".join(f"data: {json.dumps(each)}\n\n" for each in out) + ("" if cut else "data: [DONE]\n\n")
    return body.encode()


def anthropic(text, usage=None, model="served-claude"):
    """Make the bytes of a streamed message."""
    start = usage or {"input_tokens": 50, "cache_read_input_tokens": 30, "cache_creation_input_tokens": 10}
    out = [("message_start", {"message": {"model": model, "usage": {**start, "output_tokens": 1}}})]
    out.append(("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}))
    out += [
        ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": text[at : at + 9]}})
        for at in range(0, len(text), 9)
    ]
    out += [
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 25}}),
        ("message_stop", {}),
    ]
    return "".join(f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n" for name, data in out).encode()


class Server:
    """Answers requests in turn with (status, headers, body) or with bytes of a stream; the last answer repeats.

    `pages` is what GET finds, by path: (status, headers, body); `got` remembers what was asked for so.
    """

    def __init__(self, *answers, pause_s=0.0, pages=None):
        self.answers = list(answers)
        self.pages = pages or {}
        self.asked = []
        self.got = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                outer.asked.append((self.path, dict(self.headers), json.loads(body)))
                answer = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                status, headers, data = (
                    answer if isinstance(answer, tuple) else (200, {"content-type": "text/event-stream"}, answer)
                )
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                for line in data.splitlines(keepends=True):
                    self.wfile.write(line)
                    if pause_s:
                        self.wfile.flush()
                        time.sleep(pause_s)

            def do_GET(self):
                outer.got.append((self.path, dict(self.headers)))
                status, headers, data = outer.pages.get(self.path, (404, {}, b"not here"))
                self.send_response(status)
                for name, value in {"content-length": str(len(data)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
