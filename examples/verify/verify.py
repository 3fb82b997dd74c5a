#!/usr/bin/env python3
"""A second verifier for Sallyport's audit exports, from what docs/audit.md says alone. Python's standard library; it shares no code with Sallyport.

    python3 verify.py november.ndjson [--manifest FILE] [--key KEY ...] [--checkpoint FILE]

Exit code 0: these are the events of the log that was signed. 1: they are not; each thing that is wrong is named. 2: wrong use.
"""

import argparse
import base64
import gzip
import hashlib
import json
import re
import sys
import zlib
from bisect import bisect_right
from datetime import datetime
from decimal import Decimal

# ---- RFC 8785: the one way to write an object down


def es_number(value):
    """A number as ECMAScript writes it (ECMA-262, Number::toString)."""
    if isinstance(value, int) and abs(value) < 10**21:
        return str(value)
    value = float(value)
    if value == 0:
        return "0"
    exact = Decimal(repr(value)).normalize().as_tuple()
    sign, digits = "-" * exact.sign, "".join(map(str, exact.digits))
    k, n = len(digits), len(digits) + exact.exponent
    if k <= n <= 21:
        text = digits + "0" * (n - k)
    elif 0 < n <= 21:
        text = f"{digits[:n]}.{digits[n:]}"
    elif -6 < n <= 0:
        text = f"0.{'0' * -n}{digits}"
    else:
        text = f"{digits[0]}{'.' if k > 1 else ''}{digits[1:]}e{'+' if n > 0 else '-'}{abs(n - 1)}"
    return sign + text


def canonical(value):
    if value is True or value is False or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, (int, float)):
        return es_number(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
    return "{" + ",".join(f"{canonical(key)}:{canonical(value[key])}" for key in keys) + "}"


# Written by the C code of the standard library, for what both write alike.
encode_plain = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


def read_json(text):
    """The value, and how to write it and its parts in canonical form: numbers other than whole ones, and the order of keys beyond ASCII, are ECMAScript's own."""
    own = not text.isascii()

    def refuse(number):
        raise ValueError(f"{number} is no JSON")

    def number(of):
        def convert(digits):
            nonlocal own
            value = of(digits)
            if abs(value) == float("inf"):
                refuse(digits)
            own = own or of is float or abs(value) >= 10**21
            return value

        return convert

    value = json.loads(text, parse_float=number(float), parse_int=number(int), parse_constant=refuse)
    return value, canonical if own else encode_plain


# ---- Hashes


def sha256(data):
    return hashlib.sha256(data).digest()


def leaf_hash(body, write):
    return sha256(b"\x00" + write(body).encode())


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


def link_hash(seq, prev, leaf):
    replica = bytes.fromhex(seq["replica"].replace("-", ""))
    place = seq["epoch"].to_bytes(8, "big") + seq["n"].to_bytes(8, "big")
    return sha256(b"sallyport link 1" + replica + place + prev + leaf)


def cover(begin, end):
    """Levels of the fewest perfect subtrees over the leaves from begin up to end."""
    levels = []
    while begin < end:
        level = 0
        while begin % 2 ** (level + 1) == 0 and begin + 2 ** (level + 1) <= end:
            level += 1
        levels.append(level)
        begin += 2**level
    return levels


class Tree:
    """The root over the leaves so far (RFC 6962, 2.1), from the perfect subtrees that cover them."""

    def __init__(self):
        self.size, self.subtrees = 0, []

    def add(self, subtree, level=0):
        self.size += 2**level
        self.subtrees.append((level, subtree))
        while len(self.subtrees) > 1 and self.subtrees[-1][0] == self.subtrees[-2][0]:
            (level, right), (_, left) = self.subtrees.pop(), self.subtrees.pop()
            self.subtrees.append((level + 1, node_hash(left, right)))

    def root(self):
        if not self.subtrees:
            return sha256(b"")
        root = self.subtrees[-1][1]
        for _, left in reversed(self.subtrees[:-1]):
            root = node_hash(left, root)
        return root


def roots_of_consistency(older, size, older_root, proof):
    """Both roots that follow from the older one and a proof (RFC 6962, 2.1.2), or None."""
    rest = list(proof)

    def climb(begin, end, whole):
        if older == end:
            subtree = older_root if whole else rest.pop(0)
            return subtree, subtree
        middle = 1
        while middle * 2 < end - begin:
            middle *= 2
        middle += begin
        if older <= middle:
            old, new = climb(begin, middle, whole)
            return old, node_hash(new, rest.pop(0))
        old, new = climb(middle, end, False)
        left = rest.pop(0)
        return node_hash(left, old), node_hash(left, new)

    try:
        roots = (older_root, older_root) if older == size else climb(0, size, True)
    except IndexError:
        return None
    return None if rest else roots


# ---- Ed25519 (RFC 8032, 5.1), to verify only

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
I = pow(2, (P - 1) // 4, P)


def ed_add(a, b):
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    e, f = (y1 - x1) * (y2 - x2), (y1 + x1) * (y2 + x2)
    g, h = 2 * t1 * t2 * D, 2 * z1 * z2
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def ed_multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = ed_add(result, point)
        point = ed_add(point, point)
        scalar >>= 1
    return result


def ed_point(encoded):
    y = int.from_bytes(encoded, "little")
    odd, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * I % P
    if (x * x - x2) % P or (x == 0 and odd):
        return None
    if x & 1 != odd:
        x = P - x
    return x, y, 1, x * y % P


def ed_verify(key, message, signature):
    a, r = ed_point(key), ed_point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or len(signature) != 64 or s >= L:
        return False
    base = ed_point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    left, right = ed_multiply(s, base), ed_add(r, ed_multiply(h, a))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# ---- Checkpoints (C2SP tlog-checkpoint and signed-note)


def read_key(text):
    name, key_id, encoded = text.split("+", 2)
    key = base64.b64decode(encoded)
    if key[0] != 1 or len(key) != 33 or sha256(f"{name}\n".encode() + key)[:4].hex() != key_id:
        raise ValueError(f"{text} is no verifier key")
    return name, bytes.fromhex(key_id), key[1:]


def named_keys(manifest):
    """Those that the log itself names. What is none is somebody's who wrote into the database."""
    keys = []
    for key in manifest["keys"]:
        try:
            keys.append(read_key(key))
        except (ValueError, IndexError, AttributeError):
            continue
    return keys


def open_checkpoint(note, keys):
    """(origin, size, root, time) if one of the keys signed it, else None."""
    text, _, signatures = note.partition("\n\n")
    text += "\n"
    for name, key_id, key in keys:
        for line in signatures.splitlines():
            if not line.startswith(f"— {name} "):
                continue
            try:
                signature = base64.b64decode(line.rsplit(" ", 1)[1])
            except ValueError:
                continue  # Nobody signed with that.
            if signature[:4] == key_id and ed_verify(key, text.encode(), signature[4:]):
                origin, size, root, *rest = text.splitlines()
                time = next((one[5:] for one in rest if one.startswith("time ")), None)
                return origin, int(size), base64.b64decode(root), time
    return None


# ---- An export, line by line

HEX32 = re.compile("[0-9a-f]{64}")
HEX16 = re.compile("[0-9a-f]{32}")
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ENVELOPE = {"attributes", "details", "subject", "salt", "index", "seq", "prev", "hash"}


def is_count(value, least=0):
    return type(value) is int and least <= value < 2**53


def is_text(pattern, value):
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def is_event(line):
    """Whether a line has the members that all have, written as they are always written: what is in no hash may be written in one way only."""
    seq = line.get("seq")
    return (
        isinstance(seq, dict)
        and set(seq) == {"epoch", "n", "replica"}
        and is_count(seq["epoch"], 1)
        and is_count(seq["n"], 1)
        and is_text(UUID, seq["replica"])
        and is_text(UUID, line.get("id"))
        and is_count(line.get("index"))
        and is_text(HEX32, line.get("prev"))
        and is_text(HEX32, line.get("hash"))
        and ("leaf" not in line or is_text(HEX32, line["leaf"]))
        and ("personal" not in line or is_text(HEX32, line["personal"]))
        and ("salt" not in line or is_text(HEX16, line["salt"]))
    )


class Chain:
    """What came of one replica and epoch so far: the beginning of each link's hash, in eight bytes, by its place; and the places that were left out."""

    def __init__(self):
        self.n, self.hash, self.time, self.line, self.gaps, self.hashes = 0, None, None, 0, [], {}

    def place(self, n):
        if n // 4096 not in self.hashes:
            self.hashes[n // 4096] = bytearray(4096 * 8)
        at = n % 4096 * 8
        return memoryview(self.hashes[n // 4096])[at : at + 8]

    def add(self, n, link):
        self.place(n)[:] = bytes.fromhex(link[:16])

    def late(self, n, link):
        """What a link is that comes behind those that follow it."""
        known = bytes(self.place(n))
        if known == bytes.fromhex(link[:16]):
            return "duplicate", "This link again."
        if any(known):
            return "forked", f"A second link {n}, and another one."
        self.add(n, link)
        self.gaps = without(self.gaps, n)
        return "reordered", f"Link {n} is in the wrong place."


def without(gaps, n):
    """The same gaps, as (first, last, line), but for what turned up elsewhere."""
    rest = []
    for first, last, line in gaps:
        parts = [(first, n - 1, line), (n + 1, last, line)] if first <= n <= last else [(first, last, line)]
        rest += [part for part in parts if part[0] <= part[1]]
    return rest


class Verifier:
    def __init__(self, first=0):
        self.findings, self.named, self.chains, self.erased, self.lines, self.clean = [], set(), {}, 0, 0, True
        # Lines that have nothing but hashes, as [line, index, how many]; and what records say about months that are kept elsewhere.
        self.gone, self.records = [], {}
        # Lines that are worth nothing: each may have been one link that is missed behind it.
        self.worthless = []
        # Index less line, which is the same for all lines unless some are missing or too many; a line that does not fit; and indexes that were left out.
        self.offset, self.doubtful, self.gaps = first - 1, None, []

    def note(self, line, kind, message, counts=True):
        self.clean = self.clean and not counts
        self.findings.append((line, kind, message))
        self.named.add(line)

    def refuse(self, line, kind, message):
        self.worthless.append(line)
        self.note(line, kind, message)

    def read(self, number, text):
        """The leaf of a line, or None if it is worth nothing."""
        try:
            line, write = read_json(text)
            # What is no UTF-8 cannot be encoded again.
            whole = write(line) == text and (text.isascii() or text.encode() is not None)
        except (ValueError, AttributeError, RecursionError):
            whole = False
        if not whole:
            return self.refuse(number, "unreadable", "This is not a line of an export, byte for byte.")
        if not isinstance(line, dict) or not is_event(line):
            return self.refuse(number, "edited", "This is no event.")
        body = {key: line[key] for key in line if key not in ENVELOPE}
        if set(body) == {"id"}:
            self.note(number, "event-missing", "The link is there, and its event is not.")
            return self.follow(number, line, None)
        gone = set(line) == {"hash", "id", "index", "leaf", "prev", "seq"}
        leaf = bytes.fromhex(line["leaf"]) if gone else leaf_hash(body, write)
        if link_hash(line["seq"], bytes.fromhex(line["prev"]), leaf).hex() != line["hash"]:
            return self.refuse(number, "edited", "Event, place and hashes do not belong together.")
        self.follow(number, line, None if gone else body)
        if gone:
            self.miss(number, line["index"])
        else:
            self.personal(number, line, write)
            self.explain(line)
        return leaf

    def miss(self, number, index):
        last = self.gone and self.gone[-1]
        if last and last[0] + last[2] == number and last[1] + last[2] == index:
            last[2] += 1
        else:
            self.gone.append([number, index, 1])

    def explain(self, line):
        said = line.get("retention")
        if line.get("type") != "audit.retained" or not isinstance(said, dict):
            return
        ranges = said.get("indexes")
        # Of another form it explains nothing.
        if isinstance(said.get("month"), str) and isinstance(ranges, list):
            if all(isinstance(one, dict) and is_count(one.get("first")) and is_count(one.get("end")) for one in ranges):
                self.records[line["id"]] = said

    def account(self):
        """Where each event is that is not there, or that somebody took it away."""
        ranges = []
        for record, said in self.records.items():
            ranges += [(one["first"], one["end"], record, said["month"]) for one in said["indexes"]]
        ranges.sort(key=lambda one: one[:2])
        kept = {}
        for number, index, count in self.gone:
            at, end = index, index + count
            for first, last, record, month in [*ranges, (end, end, None, None)]:
                if record and (last <= at or first >= end):
                    continue
                if first > at:
                    self.note(number + at - index, "event-missing", "Links are there without their events, and no record says where these are kept.")
                    at = first
                if record:
                    found = kept.setdefault(record, [number + at - index, month, 0])
                    found[2] += min(end, last) - at
                    at = min(end, last)
        for record, (number, month, count) in kept.items():
            self.note(number, "retained", f"{count} events of {month} are kept elsewhere: event {record} says so, and where.", counts=False)

    def personal(self, number, line, write):
        secret = {key: line[key] for key in ("attributes", "details", "subject") if key in line}
        committed, salt = line.get("personal"), line.get("salt")
        if salt is None and not secret:
            self.erased += committed is not None
        elif salt is None or committed is None or not secret:
            self.note(number, "personal-edited", "The personal part is not the one that was committed to.")
        else:
            if sha256(bytes.fromhex(salt) + write(secret).encode()).hex() != committed:
                self.note(number, "personal-edited", "The personal part is not the one that was committed to.")

    def follow(self, number, line, body):
        seq = line["seq"]
        n = seq["n"]
        key = seq["replica"], seq["epoch"]
        if key not in self.chains:
            self.chains[key] = Chain()
        chain = self.chains[key]
        self.keep_time(number, chain, line, body)
        self.keep_order(number, line["index"])
        if chain.hash is None:
            if n == 1 and line["prev"] != "0" * 64:
                self.note(number, "forked", "A first link that follows another one.")
        elif n <= chain.n:
            return self.note(number, *chain.late(n, line["hash"]))
        elif n == chain.n + 1 and line["prev"] != chain.hash:
            self.note(number, "forked", f"This does not follow from link {chain.n}.")
        elif n - chain.n - 1 > self.excuse(n - chain.n - 1, chain.line):
            chain.gaps.append((chain.n + 1, n - 1, number))
        chain.add(n, line["hash"])
        chain.n, chain.hash, chain.line = n, line["hash"], number

    def excuse(self, missed, behind):
        """For how many of the links that are missed behind a line there is one that is worth nothing."""
        begin = bisect_right(self.worthless, behind)
        stand = self.worthless[begin : begin + missed]
        del self.worthless[begin : begin + missed]
        return len(stand)

    def keep_time(self, number, chain, line, body):
        seq = line["seq"]
        if not body or "time" not in body or body.get("source") != {"epoch": seq["epoch"], "replica": seq["replica"]}:
            return
        try:
            time = datetime.fromisoformat(body["time"].replace("Z", "+00:00")).timestamp()
        except (AttributeError, ValueError):
            return self.note(number, "edited", "This is no event: its time is none.")
        if chain.time is not None and chain.time - time > 60:
            self.note(number, "time-reversal", "This is earlier than what came before it.", counts=False)
        chain.time = max(time, chain.time or time)

    def keep_order(self, number, index):
        """An index is in no hash of its line: one that does not fit is judged by the next one, with which the rest has moved, or not."""
        seen, doubtful, self.doubtful = (number, index, index - number), self.doubtful, None
        if doubtful and doubtful[2] == seen[2]:
            return self.move(doubtful)
        if doubtful:
            self.misplace(*doubtful[:2])
        if seen[2] != self.offset:
            self.doubtful = seen

    def misplace(self, line, index):
        self.gaps = without(self.gaps, index)
        # Its chain has more to say about it.
        if line not in self.named:
            self.note(line, "reordered", f"By its index, {index}, this belongs elsewhere in the log.")

    def move(self, doubtful):
        line, index, offset = doubtful
        if offset > self.offset:
            self.gaps.append((line + self.offset, index - 1, line))
        self.offset = offset

    def end(self, end):
        """What has not come, once everything was read: links by their place, and, where these begin or end, events by their index."""
        # There is no next one. If the last line is ahead of its place, events are missing before it.
        if self.doubtful and self.doubtful[2] < self.offset:
            self.misplace(*self.doubtful[:2])
        elif self.doubtful:
            self.move(self.doubtful)
        following = self.lines + 1 + self.offset
        if following < end:
            self.gaps.append((following, end - 1, self.lines + 1))
        gaps = [gap for chain in self.chains.values() for gap in chain.gaps]
        for first, last, line in gaps:
            self.note(line, "missing", f"Links {first} to {last} are missing.")
        named = {line for _, _, line in gaps}
        for first, last, line in self.gaps:
            if line not in named:
                self.note(line, "missing", f"Events {first} to {last} of the log are missing.")


def root_of_inclusion(leaf, index, size, proof):
    """The root that follows from a leaf and its proof (RFC 6962, 2.1.1), or None."""
    rest = list(proof)

    def climb(begin, end):
        if end - begin == 1:
            return leaf
        middle = 1
        while middle * 2 < end - begin:
            middle *= 2
        middle += begin
        if index < middle:
            below = climb(begin, middle)
            return node_hash(below, rest.pop(0))
        below = climb(middle, end)
        return node_hash(rest.pop(0), below)

    try:
        root = climb(0, size) if 0 <= index < size else None
    except IndexError:
        return None
    return None if rest else root


def records_beside(check, last, signed, manifest):
    """Records that are not in the export itself come with what shows that they are in the log."""
    for beside in manifest.get("retained", []):
        one = Verifier()
        leaf = one.read(0, beside["line"])
        proof = hashes(beside["proof"])
        index = leaf and json.loads(beside["line"])["index"]
        if leaf and one.records and signed and root_of_inclusion(leaf, index, signed[1], proof) == signed[2]:
            check.records.update(one.records)
        else:
            check.note(last, "not-the-log", "A record of the manifest is not in the log that was signed.")


def hashes(texts):
    if not isinstance(texts, list) or not all(is_text(HEX32, text) for text in texts):
        raise ValueError("The manifest has hashes that are none.")
    return [bytes.fromhex(text) for text in texts]


def read_manifest(text):
    manifest = json.loads(text)
    if not isinstance(manifest, dict) or manifest.get("format") != "sallyport-audit-manifest/1":
        raise ValueError("This is no manifest.")
    if not is_count(manifest.get("first")) or not is_count(manifest.get("end"), manifest["first"]):
        raise ValueError("The manifest does not say which part of the log this is.")
    if not isinstance(manifest.get("checkpoint"), str) or not isinstance(manifest.get("keys"), list):
        raise ValueError("The manifest has no checkpoint, or no keys.")
    hashes(manifest.get("before"))
    hashes(manifest.get("after"))
    retained = manifest.get("retained", [])
    for beside in retained if isinstance(retained, list) else [None]:
        if not isinstance(beside, dict) or not isinstance(beside.get("line"), str):
            raise ValueError("The manifest has a record that is none.")
        hashes(beside.get("proof"))
    consistency = manifest.get("consistency", {"size": 0, "proof": []})
    if not isinstance(consistency, dict) or not is_count(consistency.get("size")):
        raise ValueError("The manifest has a proof that is none.")
    hashes(consistency.get("proof"))
    return manifest


def verify(lines, manifest, given_keys, older_note):
    check, tree = Verifier(manifest["first"]), Tree()
    keys = [read_key(key) for key in given_keys] or named_keys(manifest)
    older = None if older_note is None else open_checkpoint(older_note, keys)
    root_then = None

    def look():
        nonlocal root_then
        if older and tree.size == older[1]:
            root_then = tree.root()

    def add_cover(begin, end, subtrees):
        levels = cover(begin, end)
        # Others than these cannot give the root that was signed.
        for level, subtree in zip(levels, hashes(subtrees) if len(subtrees) == len(levels) else []):
            tree.add(subtree, level)
            look()

    add_cover(0, manifest["first"], manifest["before"])
    for text in lines:
        check.lines += 1
        leaf = check.read(check.lines, text)
        if leaf is not None:
            tree.add(leaf)
        look()
    check.end(manifest["end"])
    last = check.lines
    signed = open_checkpoint(manifest["checkpoint"], keys)
    records_beside(check, last, signed, manifest)
    check.account()
    if signed is None:
        check.note(last, "unsigned", "None of the keys signed the checkpoint of the manifest.")
    elif check.clean:
        add_cover(manifest["end"], signed[1], manifest["after"])
        if (tree.size, tree.root()) != (signed[1], signed[2]):
            check.note(last, "not-the-log", f"The log that was signed, of {signed[1]} events, has other events here.")
        elif older_note is not None:
            compare(check, last, older, signed, root_then, manifest.get("consistency"))
    return check, signed


def compare(check, last, older, signed, root_then, consistency):
    if older is None:
        check.note(last, "unsigned", "None of the keys signed the older checkpoint.")
    elif older[0] != signed[0]:
        check.note(last, "rewritten", "The older checkpoint is of another log.")
    elif older[1] > signed[1]:
        check.note(last, "rewritten", f"The log had {older[1]} events, and has {signed[1]} here: its end was cut off, unless it was exported before that. Export it again to know.")
    elif older[1] > 0 and root_then != older[2]:
        shown = consistency is not None and consistency["size"] == older[1] and not root_then
        roots = shown and roots_of_consistency(older[1], signed[1], older[2], hashes(consistency["proof"]))
        if roots != (older[2], signed[2]):
            check.note(last, "rewritten", f"The log does not begin with the {older[1]} events that were signed before.")


def main():
    parser = argparse.ArgumentParser(description="Verifies an audit export of Sallyport, offline.")
    parser.add_argument("file")
    parser.add_argument("--manifest", help="what came with it; left out, FILE.manifest.json")
    parser.add_argument("--key", action="append", default=[], help="a verifier key that you kept")
    parser.add_argument("--checkpoint", help="an older checkpoint that you kept")
    asked = parser.parse_args()
    try:
        beside = asked.file.removesuffix(".gz") + ".manifest.json"
        with open(asked.manifest or beside, encoding="utf-8") as file:
            manifest = read_manifest(file.read())
        older = None
        if asked.checkpoint:
            with open(asked.checkpoint, encoding="utf-8") as file:
                older = file.read()
        unpack = gzip.open if asked.file.endswith(".gz") else open
        with unpack(asked.file, "rt", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            check, signed = verify((line.rstrip("\n") for line in file), manifest, asked.key, older)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        print(error, file=sys.stderr)
        return 2
    for line, kind, message in sorted(check.findings):
        print(f"line {line}: {kind}: {message}")
    kept = sum(count for _, _, count in check.gone)
    print(f"{check.lines} events, {check.erased} with their personal part erased, {kept} without anything but their hashes")
    if not check.clean:
        return 1
    print(f"These are the events of the log of {signed[1]} events that was signed at {signed[3]}.")
    if not asked.key:
        print("The key is the one that the manifest names: compare it with one that you kept.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
