"""Answers length-prefixed archives on stdin with one JSON line each: what tarfile reads in them."""
import hashlib
import io
import json
import struct
import sys
import tarfile

TYPES = {tarfile.REGTYPE: "file", tarfile.AREGTYPE: "file", tarfile.DIRTYPE: "directory",
         tarfile.SYMTYPE: "symlink", tarfile.LNKTYPE: "hardlink"}


def read(data):
    entries = []
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:", encoding="utf-8", errors="surrogateescape") as tar:
            for member in tar:
                kind = TYPES.get(member.type, repr(member.type))
                body = data[member.offset_data:member.offset_data + member.size] if kind == "file" else b""
                is_link = kind in ("symlink", "hardlink")
                entries.append({
                    "name": member.name,
                    "type": kind,
                    "size": member.size,
                    "link": member.linkname if is_link else "",
                    "hash": hashlib.sha256(body).hexdigest(),
                })
    except Exception as error:
        return {"entries": entries, "error": f"{type(error).__name__}: {error}"}
    return {"entries": entries}


def main():
    source = sys.stdin.buffer
    while True:
        prefix = source.read(4)
        if len(prefix) < 4:
            return
        (length,) = struct.unpack(">I", prefix)
        sys.stdout.write(json.dumps(read(source.read(length))) + "\n")
        sys.stdout.flush()


main()
