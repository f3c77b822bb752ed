from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import transformers  # noqa: F401  before the engine could put a stand-in in its place

from headroom_engine.loading import read_folder
from headroom_engine.tokenizer import LeanTokenizer

from .running_engine import Client, RunningEngine, model_folder
from .small_llama import make_llama


@pytest.fixture(scope="session")
def model() -> Path:
    folder = model_folder()
    if not (folder / "config.json").is_file():
        pytest.fail(f"no model at {folder}: set HEADROOM_TEST_MODEL to a gpt-oss model folder")
    return folder


@pytest.fixture(scope="session")
def tokenizer(model: Path) -> LeanTokenizer:
    found = LeanTokenizer.read(read_folder(str(model)).path)
    assert found is not None
    return found


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not gpt-oss: full attention in every layer, thinking and calls in tags."""
    path = tmp_path_factory.mktemp("llama")
    make_llama(path)
    return path


@pytest.fixture(scope="session")
def engine(model: Path) -> Iterator[RunningEngine]:
    """One engine for all tests that leave it as they found it. Small steps: prefill is visible."""
    with RunningEngine(model, "--prefill-step-size", "32") as running:
        yield running
        running.stop()


@pytest.fixture
def client(engine: RunningEngine) -> Iterator[Client]:
    engine.client.wait_for(phase="ready")
    yield engine.client
    engine.client.wait_for(phase="ready")


@pytest.fixture(scope="session")
def endless(tokenizer: LeanTokenizer) -> dict[str, Any]:
    """Options that forbid the end tokens: an answer that only stops when told to."""
    return {"logit_bias": {str(t): -100 for t in tokenizer.eos_tokens}, "max_tokens": 100_000}


@pytest.fixture
def copy_model(model: Path, tmp_path: Path) -> Callable[..., Path]:
    """A copy of the model folder, with keys of config.json changed."""

    def copy(**config: Any) -> Path:
        folder = tmp_path / "model"
        shutil.copytree(model, folder)
        changed = json.loads((folder / "config.json").read_text()) | config
        (folder / "config.json").write_text(json.dumps(changed))
        return folder

    return copy
