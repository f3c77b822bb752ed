"""What the real engine counts for models with random weights, one JSON object a line on stdout.

    python test/fit/measure.py weights [--scale 4]
    python test/fit/measure.py cache [--step 512] [--lengths 127,128,…] [--models "gpt-oss-20b;…"]

Runs wherever MLX and mlx_lm do. What it prints is compared with the predictions by
``node test/fit/compare.ts FILE``, here or elsewhere. With a GPU build of MLX:

    python test/fit/measure.py cache --lengths 257,1025,4096,8193,16000 > fit.jsonl
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

RUNTIME = Path(__file__).resolve().parents[2] / "python-runtime"
sys.path.insert(0, str(RUNTIME))

from models import EXTRA_BYTES, Plan, caches, make, weights  # noqa: E402
from tests.running_engine import RunningEngine, chat_body  # noqa: E402

LENGTHS = (100, 127, 128, 129, 200, 255, 256, 257, 300, 511, 513, 600, 768, 1023, 1025, 1100)
WRITTEN = 4


def measure_weights(plan: Plan, folder: Path) -> dict[str, Any]:
    make(plan, folder, computed=False)
    with RunningEngine(folder) as engine:
        metrics = engine.client.metrics()
        engine.stop()
    return {**described(plan, folder), "activeBytes": metrics["memory"]["active_bytes"]}


def measure_cache(plan: Plan, folder: Path, step: int, lengths: list[int]) -> dict[str, Any]:
    make(plan, folder, computed=True)
    with RunningEngine(folder) as engine:
        client = engine.client
        client.timeout = 3600
        active = client.metrics()["memory"]["active_bytes"]
        began = time.monotonic()
        status, calibration = client.json("POST", "/calibrate", {"prefill_step": step})
        assert status == 200, calibration
        spent = time.monotonic() - began
        _, counted = client.json("POST", "/count", chat_body(""))
        runs = [
            measured_answer(client, length - counted["tokens"], step)
            for length in lengths
            if length > counted["tokens"]
        ]
        versions = client.metrics()["versions"]
        engine.stop()
    return {
        **described(plan, folder),
        "activeBytes": active,
        "stepTokens": step,
        "calibration": calibration,
        "calibrationSeconds": round(spent, 1),
        "runs": runs,
        "versions": versions,
    }


def measured_answer(client: Any, letters: int, step: int) -> dict[str, Any]:  # noqa: ANN401
    """A prompt nothing of which is known, one token for each letter."""
    client.json("POST", "/drop-cache", {})
    text = "".join(chr(97 + (i * i + letters) % 26) for i in range(letters))
    reply = client.chat(text, max_tokens=WRITTEN, prefill_step=step)
    usage, memory = reply["usage"], reply["memory"]
    return {
        "promptTokens": usage["prompt_tokens"],
        "cachedTokens": usage["prompt_tokens_details"]["cached_tokens"],
        "generatedTokens": usage["completion_tokens"],
        "snapshotBytesBefore": memory["kept_before_bytes"],
        "snapshotBytesAfter": memory["kept_while_writing_bytes"],
        "peakBytes": memory["peak_bytes"],
    }


def described(plan: Plan, folder: Path) -> dict[str, Any]:
    return {
        "name": plan.name,
        "folder": str(folder),
        # What is loaded of it, for a comparison on another machine.
        "loadedBytes": sum(data_bytes(file) for file in folder.glob("*.safetensors"))
        - len(plan.extra) * EXTRA_BYTES,
        "config": json.loads((folder / "config.json").read_text()),
    }


def data_bytes(file: Path) -> int:
    with file.open("rb") as weights:
        header = int.from_bytes(weights.read(8), "little")
    return file.stat().st_size - 8 - header


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["weights", "cache"])
    parser.add_argument("--scale", type=int, default=4)
    parser.add_argument("--step", type=int, default=512)
    parser.add_argument("--lengths", default=",".join(map(str, LENGTHS)))
    parser.add_argument("--models", default="")
    # Kept, so that the headers of the weights can be read by whoever started this.
    parser.add_argument("--folder", type=Path, default=Path(tempfile.mkdtemp(prefix="hr-fit-")))
    given = parser.parse_args()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    lengths = [int(each) for each in given.lengths.split(",")]
    named = [each for each in given.models.split(";") if each]
    plans = weights(given.scale) if given.kind == "weights" else caches()
    unknown = set(named) - {plan.name for plan in plans}
    assert not unknown, f"there is no {unknown}"
    for i, plan in enumerate(plans):
        if named and plan.name not in named:
            continue
        folder = given.folder / f"{given.kind}-{i}"
        found = (
            measure_weights(plan, folder)
            if given.kind == "weights"
            else measure_cache(plan, folder, given.step, lengths)
        )
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
