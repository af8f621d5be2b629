"""A queue that delivers at least once, and facts that are in the log exactly once.

    python embed_queue.py http://127.0.0.1:8080 taobao QUEUE_FOLDER < key.txt

The queue is a folder: a message is a file, `NAME.json`, and any number of consumers take from it. A consumer claims a
message by renaming it, appends its fact and removes it; one that dies in between leaves a claim, which another takes up
after a while. So a message may be delivered twice, and its fact is appended once all the same: its key is the message's
name.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from strikeout.client import Client, Conflict, Unprocessable

STALE = 60.0
"""Seconds after which the claim of a consumer that was not heard of again is taken up by another."""


def put(folder: Path, name: str, fact: dict[str, object]) -> None:
    """Put a message into the queue, whole or not at all."""
    part = folder / f".{name}.part"
    part.write_text(json.dumps(fact, ensure_ascii=False), encoding="utf-8")
    part.rename(folder / f"{name}.json")


def claim(folder: Path) -> Path | None:
    """The next message, claimed for this consumer; None where there is none."""
    for message in sorted(folder.glob("*.json")):
        claimed = message.with_suffix(".claimed")
        try:
            message.rename(claimed)
        except FileNotFoundError:  # Another was quicker.
            continue
        os.utime(claimed)
        return claimed
    return None


def reclaim(folder: Path, stale: float = STALE) -> None:
    """Put back what consumers claimed that then died."""
    for claimed in folder.glob("*.claimed"):
        try:
            if time.time() - claimed.stat().st_mtime > stale:
                claimed.rename(claimed.with_suffix(".json"))
        except FileNotFoundError:  # It was done in the meantime, or another put it back.
            continue


def consume(client: Client, log: str, folder: Path, stale: float = STALE) -> int:
    """Append the facts of all messages; how many were new."""
    new = 0
    reclaim(folder, stale)
    while (message := claim(folder)) is not None:
        fact = json.loads(message.read_text(encoding="utf-8"))
        try:
            # The client itself tries again while the service is away; what it raises then leaves the claim standing.
            receipt = client.append(log, fact, key=message.stem)
        except (Unprocessable, Conflict) as error:
            # To try again is of no use: the message is laid aside with the reason, for a person.
            message.with_suffix(".refused").write_text(f"{json.dumps(fact, ensure_ascii=False)}\n{error}\n")
            message.unlink()
            continue
        new += not receipt.duplicate
        message.unlink()
    return new


def main() -> None:
    url, log, folder = sys.argv[1:]
    with Client(url, sys.stdin.readline()) as client:
        while True:
            if not consume(client, log, Path(folder)):
                time.sleep(1)


if __name__ == "__main__":
    main()
