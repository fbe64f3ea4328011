"""Backends that drive avatars, in the frameworks that people use. Each leaks in its error path."""

from __future__ import annotations

from typing import Final

__all__ = ["DJANGO", "FASTAPI", "NODE", "repaired"]

FASTAPI: Final = """
import os

import httpx
from fastapi import FastAPI

app = FastAPI()
GREETINGS = {"ada": "Hello, Ada!"}


@app.post("/greetings/{name}")
async def greet(name: str):
    url, ks = os.environ["AVATAR_BASE_URL"], os.environ["AVATAR_KS"]
    async with httpx.AsyncClient() as client:
        body = {"visualConfig": {"avatarId": "ada"}}
        created = await client.post(url, headers={"Authorization": f"KS {ks}"}, json=body)
        session = created.json()
        client.headers["Authorization"] = f"Bearer {session['token']}"
        url = f"{url}/{session['sessionId']}"
        # try
        turn = {"text": GREETINGS[name], "turnId": "1", "isFinal": True}
        await client.post(f"{url}/say-text", json=turn)
        # finally
        await client.post(f"{url}/end", json={})
    return {"said": GREETINGS[name]}
"""

DJANGO: Final = """
import os

import requests
from django.conf import settings
from django.http import JsonResponse
from django.urls import path

GREETINGS = {"ada": "Hello, Ada!"}


def greet(request, name):
    url, ks = os.environ["AVATAR_BASE_URL"], os.environ["AVATAR_KS"]
    with requests.Session() as client:
        body = {"visualConfig": {"avatarId": "ada"}}
        session = client.post(url, headers={"Authorization": f"KS {ks}"}, json=body).json()
        client.headers["Authorization"] = f"Bearer {session['token']}"
        url = f"{url}/{session['sessionId']}"
        # try
        turn = {"text": GREETINGS[name], "turnId": "1", "isFinal": True}
        client.post(f"{url}/say-text", json=turn)
        # finally
        client.post(f"{url}/end", json={})
    return JsonResponse({"said": GREETINGS[name]})


urlpatterns = [path("greetings/<name>", greet)]
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"])
"""

NODE: Final = """
import { createServer } from "node:http"

const greetings = { ada: "Hello, Ada!" }

async function post(url, authorization, body) {
  const headers = { authorization, "content-type": "application/json" }
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) })
  return answer.json()
}

async function greet(name) {
  const base = process.env.AVATAR_BASE_URL
  const create = { visualConfig: { avatarId: "ada" } }
  const session = await post(base, `KS ${process.env.AVATAR_KS}`, create)
  const [url, bearer] = [`${base}/${session.sessionId}`, `Bearer ${session.token}`]
  // try
  const turn = { text: greetings[name].toString(), turnId: "1", isFinal: true }
  await post(`${url}/say-text`, bearer, turn)
  // finally
  await post(`${url}/end`, bearer, {})
}

const server = createServer(async (request, response) => {
  const status = await greet(request.url.split("/").pop()).then(() => 200, () => 500)
  response.writeHead(status).end()
})
server.listen(0, "127.0.0.1", () => {
  console.error(`running on http://127.0.0.1:${server.address().port}`)
})
"""


def repaired(source: str) -> str:
    """Return a backend that ends its session whatever happens."""
    if source is NODE:
        braced = source.replace("// try", "try {").replace("// finally", "} finally {")
        return braced.replace("bearer, {})\n}", "bearer, {})\n  }\n}")
    head, _, rest = source.partition("        # try\n")
    said, _, rest = rest.partition("        # finally\n")
    end, _, tail = rest.partition("\n")
    inner = "".join(f"    {line}\n" for line in said.splitlines())
    return f"{head}        try:\n{inner}        finally:\n    {end}\n{tail}"
