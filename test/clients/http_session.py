"""A session with one of Python's HTTP clients. Prints a line of JSON for each thing that it saw.

http_session.py requests | httpx | aiohttp | urllib  URL
"""

import hashlib
import json
import sys

client, base = sys.argv[1:]
headers = {"Authorization": "Bearer alice"}
large = b"sallyport " * 50_000


def see(*what):
    print(json.dumps(what, default=str), flush=True)


def pieces():
    for index in range(100):
        yield b"piece %d\n" % index


def digest(content):
    return len(content), hashlib.sha256(content).hexdigest()


def with_session(session, redirects):
    """requests and httpx, which agree on almost everything."""
    see(session.get(f"{base}/v1/echo", params={"q": "a b&c=ü/~", "empty": ""}, headers={"X-Mine": "1"}).json())
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        see(session.request(method, f"{base}/v1/echo", json={"method": method}).json())
    see(session.post(f"{base}/v1/echo", data={"a": "1", "b": "ü ü"}).json())
    see(session.post(f"{base}/v1/echo", data=large if redirects == "allow_redirects" else None,
                     **({} if redirects == "allow_redirects" else {"content": large})).json())
    chunked = {"data": pieces()} if redirects == "allow_redirects" else {"content": pieces()}
    see(session.post(f"{base}/v1/echo", **chunked).json())
    see(session.get(f"{base}/v1/gross%20und%20klein").status_code)
    see(session.head(f"{base}/v1/large").headers.get("content-length"))

    followed = session.get(f"{base}/v1/found", **{redirects: True})
    see(followed.json(), str(followed.url).removeprefix(base), len(followed.history))
    see(session.post(f"{base}/v1/again", json={"kept": True}, **{redirects: True}).json())
    see(session.get(f"{base}/v1/login").json())
    see(session.get(f"{base}/v1/me").json())
    see(session.get(f"{base}/v1/gzip").text[:22], session.get(f"{base}/v1/closed").text)
    see(digest(session.get(f"{base}/v1/stream").content), digest(session.get(f"{base}/v1/large").content))
    part = session.get(f"{base}/v1/large", headers={"Range": "bytes=10-19"})
    see(part.status_code, part.headers["content-range"], part.text)
    unchanged = session.get(f"{base}/v1/etag", headers={"If-None-Match": '"e1"'})
    see(unchanged.status_code, unchanged.headers["etag"], unchanged.content.decode())
    missing = session.get(f"{base}/v1/missing")
    see(missing.status_code, missing.json(), session.delete(f"{base}/v1/nothing").status_code)

    pages, url = [], f"{base}/v1/pages"
    while url:
        page = session.get(url)
        pages += page.json()
        url = page.links.get("next", {}).get("url")
    see(pages)


def with_urllib():
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    def ask(path, data=None, method=None, **more):
        with urlopen(Request(base + path, data, {**headers, **more}, method=method)) as answer:
            return answer.read()

    see(json.loads(ask("/v1/echo?q=a%20b", **{"X-Mine": "1"})))
    see(json.loads(ask("/v1/echo", b"a=1")), json.loads(ask("/v1/echo", b"{}", "PUT")))
    see(json.loads(ask("/v1/echo", pieces(), "POST")))
    see(json.loads(ask("/v1/found")), digest(ask("/v1/large")), digest(ask("/v1/stream")))
    try:
        ask("/v1/missing")
    except HTTPError as error:
        see(error.code, json.load(error))


async def with_aiohttp():
    import aiohttp

    async with aiohttp.ClientSession(headers=headers, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get(f"{base}/v1/echo", params={"q": "a b"}, headers={"X-Mine": "1"}) as answer:
            see(await answer.json())
        async with session.post(f"{base}/v1/echo", json={"a": 1}) as answer:
            see(await answer.json())

        async def later():
            for piece in pieces():
                yield piece

        async with session.post(f"{base}/v1/echo", data=later()) as answer:
            see(await answer.json())
        async with session.post(f"{base}/v1/again", json={"kept": True}) as answer:
            see(await answer.json(), str(answer.url).removeprefix(base))
        async with session.get(f"{base}/v1/login") as answer:
            see(await answer.json())
        async with session.get(f"{base}/v1/me") as answer:
            see(await answer.json())
        async with session.get(f"{base}/v1/large") as answer:
            see(digest(await answer.read()))
        async with session.get(f"{base}/v1/gzip") as answer:
            see((await answer.text())[:22])


if client == "requests":
    import requests

    with requests.Session() as session:
        session.headers.update(headers)
        with_session(session, "allow_redirects")
elif client == "httpx":
    import httpx

    with httpx.Client(headers=headers, trust_env=False) as session:
        with_session(session, "follow_redirects")
elif client == "aiohttp":
    import asyncio

    asyncio.run(with_aiohttp())
else:
    with_urllib()
