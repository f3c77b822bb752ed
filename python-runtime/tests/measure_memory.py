"""What the engine holds beside MLX's own memory: ``python -m tests.measure_memory [MODEL]``.

Prints one JSON object. ``beside_mlx_mib`` is the engine's resident memory after two chats, less
MLX's active and cached memory, less a Python that has done nothing but ``import mlx.core``. Without
MODEL a synthetic folder with a 200k-token vocabulary is made.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from .big_vocabulary import make_big_model
from .running_engine import RunningEngine

MIB = 2**20
BARE = "import mlx.core as mx, sys; mx.eval(mx.zeros(8)); print('up', flush=True); sys.stdin.read()"


def resident_bytes(pid: int) -> int:
    """PSS where the kernel tells it, so that libraries shared with others count once; else RSS."""
    rollup = Path(f"/proc/{pid}/smaps_rollup")
    if rollup.exists():
        found = re.search(r"^Pss:\s+(\d+) kB", rollup.read_text(), re.MULTILINE)
        assert found is not None
        return int(found[1]) * 1024
    shown = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=True)
    return int(shown.stdout) * 1024


def measure(model: Path) -> dict[str, Any]:
    bare = subprocess.Popen(
        [sys.executable, "-I", "-c", BARE], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert bare.stdout is not None
    bare.stdout.readline()
    began = time.monotonic()
    with RunningEngine(model) as engine:
        ready_seconds = time.monotonic() - began
        idle = resident_bytes(engine.process.pid)
        for text in ("hello", "tell me something " * 20):
            engine.client.chat(text, max_tokens=20)
        # Both run while either is read: shared pages are then split the same way.
        whole, empty = resident_bytes(engine.process.pid), resident_bytes(bare.pid)
        memory = engine.client.metrics()["memory"]
        engine.stop()
    bare.communicate()
    mlx = memory["active_bytes"] + memory["cache_bytes"]
    return {
        "model": model.name,
        "tokenizer_json_mib": round((model / "tokenizer.json").stat().st_size / MIB, 1),
        "resident_mib": round(whole / MIB, 1),
        "resident_before_chat_mib": round(idle / MIB, 1),
        "mlx_mib": round(mlx / MIB, 1),
        "bare_python_with_mlx_mib": round(empty / MIB, 1),
        "beside_mlx_mib": round((whole - mlx - empty) / MIB, 1),
        "ready_seconds": round(ready_seconds, 2),
    }


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(measure(Path(sys.argv[1]).absolute()), indent=1))
        return
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(make_big_model(Path(folder) / "big-vocabulary")), indent=1))


if __name__ == "__main__":
    main()
