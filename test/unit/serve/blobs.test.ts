import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { digestOf, errorCodes, makeFolder, pushBlob, send, start, startUpload } from "./registry-client.ts";

describe("GET blob", () => {
  test("returns the bytes, their digest and their length; HEAD the same without the bytes", async () => {
    const registry = await start();
    const digest = await pushBlob(registry, "team/app", "hello");
    const got = await send(registry, "GET", `/v2/team/app/blobs/${digest}`);
    const head = await send(registry, "HEAD", `/v2/team/app/blobs/${digest}`);
    expect(got.status).toBe(200);
    expect(got.body.toString()).toBe("hello");
    expect(got.headers).toMatchObject({
      "content-type": "application/octet-stream",
      "content-length": "5",
      "docker-content-digest": digest,
      "accept-ranges": "bytes",
      "x-content-type-options": "nosniff",
      "docker-distribution-api-version": "registry/2.0",
    });
    expect(head.status).toBe(200);
    expect(head.body.length).toBe(0);
    expect({ ...head.headers, date: "" }).toEqual({ ...got.headers, date: "" });
  });

  test("streams a blob of many read buffers unchanged, also twice at once", async () => {
    const registry = await start();
    const bytes = randomBytes(3 * 1024 * 1024 + 17);
    const path = `/v2/app/blobs/${await pushBlob(registry, "app", bytes)}`;
    const replies = await Promise.all([send(registry, "GET", path), send(registry, "GET", path)]);
    for (const { body } of replies) expect(body.equals(bytes)).toBe(true);
    const ranged = await send(registry, "GET", path, { headers: { range: "bytes=1000000-2500000" } });
    expect(ranged.body.equals(bytes.subarray(1_000_000, 2_500_001))).toBe(true);
  });

  test("survives a client that leaves in the middle", async () => {
    const registry = await start();
    const digest = await pushBlob(registry, "app", randomBytes(8 * 1024 * 1024));
    const aborted = await fetch(`${registry.url}/v2/app/blobs/${digest}`);
    await aborted.body?.cancel();
    const { status } = await send(registry, "HEAD", `/v2/app/blobs/${digest}`);
    expect(status).toBe(200);
  });

  test.each([
    ["bytes=2-4", 206, "cde", "bytes 2-4/10"],
    ["bytes=7-", 206, "hij", "bytes 7-9/10"],
    ["bytes=-3", 206, "hij", "bytes 7-9/10"],
    ["bytes=-99", 206, "abcdefghij", "bytes 0-9/10"],
    ["bytes=8-500", 206, "ij", "bytes 8-9/10"],
    ["bytes=0-0", 206, "a", "bytes 0-0/10"],
    ["bytes=5-0", 416, undefined, "bytes */10"],
    ["bytes=10-", 416, undefined, "bytes */10"],
    ["bytes=-0", 416, undefined, "bytes */10"],
    ["bytes=9007199254740993-", 416, undefined, "bytes */10"],
    ["bytes=0-1,4-5", 200, "abcdefghij", undefined],
    ["bytes=-", 200, "abcdefghij", undefined],
    ["lines=1-2", 200, "abcdefghij", undefined],
  ])("answers range %s with status %i", async (range, status, body, contentRange) => {
    const registry = await start();
    const path = `/v2/app/blobs/${await pushBlob(registry, "app", "abcdefghij")}`;
    const reply = await send(registry, "GET", path, { headers: { range } });
    expect(reply.status).toBe(status);
    expect(reply.headers["content-range"]).toBe(contentRange);
    if (body !== undefined) {
      expect(reply.body.toString()).toBe(body);
      expect(reply.headers["content-length"]).toBe(String(body.length));
    }
  });

  test("sends the whole blob when If-Range names another one", async () => {
    const registry = await start();
    const digest = await pushBlob(registry, "app", "abcdefghij");
    const range = { range: "bytes=2-4" };
    const path = `/v2/app/blobs/${digest}`;
    const same = await send(registry, "GET", path, { headers: { ...range, "if-range": `"${digest}"` } });
    const other = await send(registry, "GET", path, { headers: { ...range, "if-range": '"sha256:0"' } });
    expect([same.status, other.status]).toEqual([206, 200]);
  });

  test("S-01 a blob of another repository is unknown here (CVE-2024-39897)", async () => {
    const registry = await start();
    const digest = await pushBlob(registry, "secret", "hello");
    await pushBlob(registry, "public", "other");
    const reply = await send(registry, "GET", `/v2/public/blobs/${digest}`);
    expect(reply.status).toBe(404);
    expect(errorCodes(reply)).toEqual(["BLOB_UNKNOWN"]);
    expect((await send(registry, "HEAD", `/v2/public/blobs/${digest}`)).body.length).toBe(0);
  });
});

describe("DELETE blob", () => {
  test("removes it from one repository; its bytes go with the last", async () => {
    const store = await makeFolder();
    const registry = await start({ store });
    const digest = await pushBlob(registry, "one", "hello");
    await pushBlob(registry, "two", "hello");
    const content = join(store, "blobs", "sha256", digest.slice(7, 9));
    expect((await send(registry, "DELETE", `/v2/one/blobs/${digest}`)).status).toBe(202);
    expect((await send(registry, "GET", `/v2/one/blobs/${digest}`)).status).toBe(404);
    expect((await send(registry, "GET", `/v2/two/blobs/${digest}`)).body.toString()).toBe("hello");
    expect(await readdir(content)).toEqual([digest.slice(7)]);
    expect((await send(registry, "DELETE", `/v2/two/blobs/${digest}`)).status).toBe(202);
    expect(await readdir(content)).toEqual([]);
    expect((await send(registry, "DELETE", `/v2/two/blobs/${digest}`)).status).toBe(404);
  });
});

describe("mount", () => {
  const digest = digestOf("hello");

  test("gives a blob of the named repository, or of any when none is named", async () => {
    const registry = await start();
    await pushBlob(registry, "base", "hello");
    for (const [name, from] of [
      ["named", "&from=base"],
      ["unnamed", ""],
    ]) {
      const reply = await send(registry, "POST", `/v2/${name}/blobs/uploads/?mount=${digest}${from}`);
      expect(reply.status).toBe(201);
      expect(reply.headers.location).toBe(`/v2/${name}/blobs/${digest}`);
      expect((await send(registry, "GET", `/v2/${name}/blobs/${digest}`)).body.toString()).toBe("hello");
    }
  });

  test("opens an upload when the named repository lacks the blob", async () => {
    const registry = await start();
    await pushBlob(registry, "base", "hello");
    const path = await startUpload(registry, "app", `?mount=${digest}&from=elsewhere`);
    expect((await send(registry, "PUT", `${path}?digest=${digest}`, { body: "hello" })).status).toBe(201);
  });

  test("refuses a malformed digest and a malformed source", async () => {
    const registry = await start();
    const badDigest = await send(registry, "POST", "/v2/app/blobs/uploads/?mount=sha256:short&from=base");
    const badName = await send(registry, "POST", `/v2/app/blobs/uploads/?mount=${digest}&from=../etc`);
    expect([badDigest.status, ...errorCodes(badDigest)]).toEqual([400, "DIGEST_INVALID"]);
    expect([badName.status, ...errorCodes(badName)]).toEqual([400, "NAME_INVALID"]);
  });
});
