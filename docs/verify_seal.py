#!/usr/bin/env python3
"""Checks a proof of Kontor without Kontor: Python 3.9 or newer and nothing else.

    python3 verify_seal.py proof.json --key 2026a:<64 hex digits> [--head <64 hex digits>]

The proof is the answer of GET /api/v1/seals/rows/{id}/proof/. The key is the public key of whoever
runs Kontor: take it from where you trust it (a mail, a contract, GET /api/v1/seals/keys/), not
from whoever gave you the proof. `--head` is a head that you know from elsewhere, such as a mail of
that day: with it the proof also says that the row stood in the books by then. What is checked, and
what it means, stands in seals.md. Exit code 0: it holds. 1: it does not. 2: it cannot be read.
"""

import argparse
import hashlib
import json
import sys

# Ed25519 as RFC 8032 (5.1) has it. Only public values are handled, so time may depend on them.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def x_of(y, sign):
    """The x of a point with this y, or None where there is none."""
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if square == 0:
        return None if sign else 0
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P:
        return None
    return P - x if x & 1 != sign else x


def point(data):
    """A point (X, Y, Z, T) from its 32 bytes, or None."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = x_of(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def add(one, other):
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(number, one):
    total = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = add(total, one)
        one = add(one, one)
        number >>= 1
    return total


def equal(one, other):
    return (one[0] * other[2] - other[0] * one[2]) % P == 0 and (
        one[1] * other[2] - other[1] * one[2]
    ) % P == 0


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = x_of(BASE_Y, 0)
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def is_signed(public, signature, message):
    """Whether the owner of the public key has signed the message."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, r = point(public), point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= L:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    h = int.from_bytes(digest, "little") % L
    return equal(times(s, BASE), add(r, times(h, key)))


def sha256(data):
    return hashlib.sha256(data).digest()


def root_of(text, index, size, path):
    """Where a row's text leads along the path (RFC 9162, 2.1.3.2), or None."""
    if not 0 <= index < size:
        return None
    digest, path = sha256(b"\x00" + text.encode()), list(path)
    while size > 1:
        if index ^ 1 < size:
            if not path:
                return None
            other = bytes.fromhex(path.pop(0))
            left, right = (other, digest) if index % 2 else (digest, other)
            digest = sha256(b"\x01" + left + right)
        index, size = index // 2, (size + 1) // 2
    return None if path else digest


def digest_of(text):
    return sha256(b"\x02" + text.encode())


def complaints(proof, keys, head):
    """Everything that does not hold, one sentence each."""
    if proof["proof"] != "kontor.1":
        return ["This form of proof is not known."]
    texts = [each["text"] for each in proof["segments"]]
    segments = [json.loads(text) for text in texts]
    row, first = json.loads(proof["row"]), segments[0]
    found = []
    if row["row"] != "%s.%s" % (first["chain"], first["form"]):
        found.append("The row is not of the segment's kind.")
    root = root_of(proof["row"], proof["position"], first["rows"], proof["path"])
    if root is None or root.hex() != first["root"]:
        found.append("The row is not among those that the segment sealed.")
    for each, text, segment in zip(proof["segments"], texts, segments):
        name = "Segment %s" % segment["number"]
        if segment["segment"] != "kontor.1":
            found.append(name + " has a form that is not known.")
        public = keys.get(segment["key"])
        if public is None:
            found.append(
                "%s was signed with the key %s, which was not given." % (name, segment["key"])
            )
        elif not is_signed(
            public, bytes.fromhex(each["signature"]), b"kontor-seal-1:" + digest_of(text)
        ):
            found.append(name + " was not signed with that key.")
    for text, before, segment in zip(texts, segments, segments[1:]):
        same = all(before[name] == segment[name] for name in ("organization", "chain"))
        follows = segment["number"] == before["number"] + 1
        if not same or not follows or segment["previous"] != digest_of(text).hex():
            found.append("Segment %s does not follow the one before." % segment["number"])
    last = digest_of(texts[-1]).hex()
    if proof["anchor"] and proof["anchor"]["digest"] != last:
        found.append("The segments do not lead to the anchored head.")
    if head and head.lower() != last:
        found.append("The segments do not lead to the head that you gave.")
    return found


def main():
    parser = argparse.ArgumentParser(description="Check a proof that Kontor sealed a row.")
    parser.add_argument("proof", help="a file, or - for standard input")
    parser.add_argument("--key", action="append", required=True, metavar="ID:HEX")
    parser.add_argument("--head", metavar="HEX")
    asked = parser.parse_args()
    try:
        keys = {name: bytes.fromhex(key) for name, _, key in (k.partition(":") for k in asked.key)}
        if asked.proof == "-":
            proof = json.load(sys.stdin)
        else:
            with open(asked.proof, encoding="utf-8") as file:
                proof = json.load(file)
        found = complaints(proof, keys, asked.head)
        row, segments = json.loads(proof["row"]), proof["segments"]
        first, last = json.loads(segments[0]["text"]), json.loads(segments[-1]["text"])
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as problem:
        print("It cannot be read: %r" % problem, file=sys.stderr)
        return 2
    for complaint in found:
        print("DOES NOT HOLD: " + complaint)
    if found:
        return 1
    print(
        "HOLDS: this row was sealed at %s, place %d of %d in segment %d of %s, organization %s."
        % (
            first["sealed_at"],
            proof["position"] + 1,
            first["rows"],
            first["number"],
            first["chain"],
            first["organization"],
        )
    )
    if asked.head:
        print(
            "It leads to the head that you gave: segment %d of %s."
            % (last["number"], last["sealed_at"])
        )
    for name, value in row.items():
        print("  %s: %s" % (name, value))
    return 0


if __name__ == "__main__":
    sys.exit(main())
