"""FastAPI: a case system that reports what it decided, and answers with the seller's new status.

    STRIKEOUT_URL=http://127.0.0.1:8080 STRIKEOUT_KEY_FILE=key.txt uvicorn embed_fastapi:app

The key needs the scopes `append` and `read`.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel

from strikeout.client import AsyncClient, Conflict, ServiceUnreachable, Unavailable, Unprocessable

LOG = os.environ.get("STRIKEOUT_LOG", "taobao")


class Upheld(BaseModel):
    """A complaint that the case system found to be right."""

    complaint: str
    seller: str
    complainant: str
    right: str
    finding: str
    base: int | None = None
    decided_at: datetime.datetime


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    key = Path(os.environ["STRIKEOUT_KEY_FILE"]).read_text(encoding="utf-8")
    async with AsyncClient(os.environ["STRIKEOUT_URL"], key) as client:
        app.state.strikeout = client
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/upheld")
async def upheld(found: Upheld, request: Request) -> dict[str, Any]:
    client: AsyncClient = request.app.state.strikeout
    fact = {
        "kind": "upheld",
        "at": found.decided_at,
        **found.model_dump(exclude={"decided_at"}, exclude_none=True),
    }
    try:
        # The key is the case system's own id: whoever sends the same decision again changes nothing.
        receipt = await client.append(LOG, fact, key=f"upheld-{found.complaint}")
        decision = await client.decide(LOG, found.seller)
    except Conflict as error:
        raise HTTPException(409, f"complaint {found.complaint} was decided otherwise before") from error
    except Unprocessable as error:
        raise HTTPException(422, str(error)) from error
    except (ServiceUnreachable, Unavailable) as error:
        # The caller tries again; what was appended meanwhile is not appended twice.
        raise HTTPException(503, "try again later", headers={"Retry-After": "5"}) from error
    # `as_of` and `position` are kept with the case: with them the decision can be repeated to the byte.
    return {
        "status": decision.status,
        "since": decision.since,
        "as_of": decision.as_of,
        "position": decision.position,
        "ruleset": decision.ruleset.hash,
        "record": receipt.hash,
        "new": not receipt.duplicate,
    }


@app.get("/sellers/{seller}/why")
async def why(seller: str, request: Request, lang: str = "zh") -> dict[str, str]:
    client: AsyncClient = request.app.state.strikeout
    answer = await client.why(LOG, seller, lang=lang)
    return {"as_of": answer.as_of, "text": answer.text}
