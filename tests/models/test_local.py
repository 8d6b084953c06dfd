"""Model servers of this machine, each as it really answers, on loopback; and what else may answer there."""

import asyncio
import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from assistant.models import catalogue, local
from assistant.models.client import Client

ALL = catalogue.load({}, None, {})


class Speaks:
    """A server that answers paths with JSON (or bytes), and remembers what it was asked and with which headers."""

    def __init__(self, answers, pause_s=0.0):
        self.asked = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                outer.asked.append((self.path, {name.lower() for name in self.headers}))
                time.sleep(pause_s)
                found = answers.get(self.path)
                if callable(found):
                    found = found(json.loads(body))
                data = found if isinstance(found, bytes) else json.dumps(found).encode()
                self.send_response(200 if found is not None else 404)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                with contextlib.suppress(BrokenPipeError):  # who does not wait is one of the tests
                    self.wfile.write(data)

            def do_GET(self):
                self.answer()

            def do_POST(self):
                self.answer()

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


async def probe(env, *, shows=True):
    """Look only where `env` says: nobody else's servers on this machine may change a test."""
    known = catalogue.load(env, None, {})
    there = {name: each for name, each in known.providers.items() if each.address_from}
    client = Client(env={})
    try:
        return await local.probe(
            lambda: client.get_json, catalogue.Catalogue(there), (lambda: client.post_json) if shows else None
        )
    finally:
        await client.aclose()


OLLAMA = {
    "/api/tags": {"models": [
        {"name": "qwen3:8b", "details": {"parameter_size": "8.2B"}},
        {"name": "tiny:1b", "details": {"parameter_size": "1.1B"}},
        {"name": "set:latest", "details": {}},
    ]},
    "/api/ps": {"models": [{"name": "qwen3:8b", "context_length": 4096}]},
    "/api/show": lambda asked: {
        "qwen3:8b": {"model_info": {"general.architecture": "qwen3", "qwen3.context_length": 40960}, "capabilities": ["completion", "tools", "thinking"]},
        "tiny:1b": {"model_info": {"llama.context_length": 131072}, "capabilities": ["completion", "vision"]},
        "set:latest": {"parameters": "stop <end>\nnum_ctx    16384\n", "model_info": {"llama.context_length": 131072}},
    }[asked["model"]],
}  # fmt: skip


async def test_ollama_tells_its_windows_as_they_really_are():
    with Speaks(OLLAMA) as server:
        for env in ({"OLLAMA_HOST": server.url.removeprefix("http://")}, {"OLLAMA_BASE_URL": server.url + "/v1"}):
            (found,) = await probe(env)
            loaded, idle, told = found.models
            assert (loaded.name, loaded.context_window, loaded.note) == ("ollama/qwen3:8b", 4096, "")
            assert loaded.abilities == {"tools", "thinking"}
            assert (idle.context_window, idle.abilities) == (131_072, {"images"})
            assert "trained" in idle.note
            assert (told.context_window, told.note) == (16_384, "")
            assert [model.edit_format for model in found.models] == ["edit_block", "whole_file", "edit_block"]
        assert all("authorization" not in headers for _, headers in server.asked)


async def test_without_details_a_window_is_unknown_and_not_guessed():
    with Speaks({"/api/tags": OLLAMA["/api/tags"]}) as server:
        (found,) = await probe({"OLLAMA_HOST": server.url}, shows=False)
        assert [model.context_window for model in found.models] == [None, None, None]


async def test_llama_server_tells_the_window_it_was_started_with():
    answers = {
        "/v1/models": {"data": [{"id": "/models/coder-1.5b.gguf", "meta": {"n_ctx_train": 32768, "n_params": 1_543_714_304}}]},
        "/props": {"default_generation_settings": {"n_ctx": 8192}, "modalities": {"vision": True}},
    }  # fmt: skip
    with Speaks(answers) as server:
        (found,) = await probe({"LLAMA_SERVER_BASE_URL": server.url + "/v1"})
        (model,) = found.models
        assert (model.context_window, model.title, model.edit_format) == (8192, "coder-1.5b.gguf", "whole_file")
        assert "images" in model.abilities
        assert found.base_url == server.url + "/v1"


async def test_a_server_at_its_other_usual_port_is_found_there():
    with Speaks({"/v1/models": {"data": [{"id": "m", "meta": {"n_ctx": 512}}]}}) as server:
        closed = Speaks({})
        closed._server.server_close()
        page = ALL.providers["llama-server"]._replace(base_url=closed.url + "/v1", also_at=(server.url + "/v1",))
        client = Client(env={})
        (found,) = await local.probe(lambda: client.get_json, catalogue.Catalogue({"llama-server": page}))
        await client.aclose()
        assert (found.base_url, found.models[0].context_window) == (server.url + "/v1", 512)


@pytest.mark.parametrize(
    ("answers", "window", "able"),
    [
        ({"/api/v1/models": {"models": [{"key": "q", "type": "llm", "max_context_length": 131072, "capabilities": {"vision": True, "trained_for_tool_use": True}, "loaded_instances": [{"id": "q", "config": {"context_length": 8192}}]}, {"key": "e", "type": "embedding"}]}}, 8192, {"images", "tools"}),
        ({"/api/v1/models": {"models": [{"key": "q", "type": "llm", "max_context_length": 131072, "capabilities": {}}]}}, 131072, set()),
        ({"/api/v0/models": {"data": [{"id": "q", "type": "vlm", "max_context_length": 131072, "loaded_context_length": 4096}, {"id": "e", "type": "embeddings"}]}}, 4096, {"images"}),
        ({"/v1/models": {"data": [{"id": "q"}]}}, None, set()),
    ],
)  # fmt: skip
async def test_lm_studio_of_every_age(answers, window, able):
    with Speaks(answers) as server:
        (found,) = await probe({"LMSTUDIO_BASE_URL": server.url + "/v1"})
        (model,) = found.models
        assert (model.name, model.context_window, model.abilities) == ("lmstudio/q", window, able)


async def test_vllm_tells_its_longest():
    with Speaks({"/v1/models": {"data": [{"id": "org/m", "max_model_len": 32768}]}}) as server:
        (found,) = await probe({"VLLM_BASE_URL": server.url + "/v1"})
        assert (found.models[0].name, found.models[0].context_window) == ("vllm/org/m", 32_768)


@pytest.mark.parametrize(
    "answer",
    [b"<html>hello</html>", b"", b"[1]", {"data": "x"}, {"models": {}}, {"data": [1, None, {"id": 5}]}, {"models": [1, None, {"name": 5}]}, None],
)  # fmt: skip
async def test_what_is_no_model_server_offers_no_models(answer):
    paths = ("/api/tags", "/v1/models", "/api/v1/models", "/api/v0/models", "/props", "/api/ps")
    with Speaks(dict.fromkeys(paths, answer)) as server:
        names = ("OLLAMA_BASE_URL", "LLAMA_SERVER_BASE_URL", "LMSTUDIO_BASE_URL", "VLLM_BASE_URL")
        found = await probe(dict.fromkeys(names, server.url))
        assert [model for provider in found for model in provider.models] == []


async def test_a_server_that_does_not_answer_costs_half_a_second_and_no_more():
    with Speaks(OLLAMA, pause_s=3.0) as server:
        names = ("OLLAMA_BASE_URL", "LLAMA_SERVER_BASE_URL", "LMSTUDIO_BASE_URL", "VLLM_BASE_URL")
        asked = asyncio.create_task(probe(dict.fromkeys(names, server.url)))
        done, _ = await asyncio.wait({asked}, timeout=2.5)  # less than the server takes; the machine may be busy
        assert done
        assert asked.result() == []


async def test_nobody_is_asked_off_this_machine_unless_the_user_says_so():
    page = ALL.providers["vllm"]._replace(base_url="http://192.0.2.1:8000/v1")
    client = Client(env={})
    loaded = []
    try:
        found = await local.probe(lambda: loaded.append(1) or client.get_json, catalogue.Catalogue({"vllm": page}))
    finally:
        await client.aclose()
    assert (found, loaded) == ([], [])
