"""The keys and the request hashes of manifests, as they were before rows could have other models.

A row that gets another key, or another hash, is paid for again.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pipeline.checker.check import CheckedManifest

BEFORE: dict[str, Any] = json.loads(Path(__file__).with_name("keys.json").read_text("utf-8"))
"""The mark of each case, by its name: what `mark_of` gave in the version before."""

_WORDS = ("prompt,model,seed", "A cup,Speedster 9,7", "A mug,,", "A mug,,8", "A mug,,8")
FURTHER = {
    "columns of other models": _WORDS,
    "sound and what must not be seen": (
        "prompt,audio,negative_prompt,style", "A cup,nein,people,warm", "A cup,ja,people,warm",
    ),
    "a seed of one's own": ("prompt,video_seed,duration", "A cup,3,4", "A cup,4,4", "A cup,4,10s"),
    "pictures": (
        "prompt,image_1,image_2,image_3,audio", "A cup,https://a.example/1.jpg,,,true",
        "A cup,https://a.example/1.jpg,https://a.example/2.jpg,https://a.example/3.jpg,false",
    ),
    "with keys": ("sku,prompt,seed", "A,A cup,1", "B,A cup,2", ",A cup,3", "B,A cup,4"),
    "shapes": (
        "prompt,aspect_ratio,resolution,audio", "A cup,9:16,720p,1", "A cup,16x9,1080,0",
        "A cup,portrait,,x", "A cup,,1080P,",
    ),
    "nothing of one's own": ("prompt,seed", "A cup,1", ",2", ",3"),
}  # fmt: skip


def mark_of(checked: CheckedManifest) -> str:
    """Return what tells the keys and hashes of a manifest from others."""
    hashes = {number: one.request_hash for number, one in checked.requests.items()}
    text = json.dumps([checked.keys, hashes], ensure_ascii=True, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
