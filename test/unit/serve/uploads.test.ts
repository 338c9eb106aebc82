import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RunningRegistry } from "../../../src/serve/server.ts";
import {
  addressOf,
  digestOf,
  errorCodes,
  makeFolder,
  pushBlob,
  type Reply,
  send,
  start,
  startUpload,
} from "./registry-client.ts";

async function patch(registry: RunningRegistry, path: string, first: number, text: string): Promise<Reply> {
  const headers = { "content-range": `${first}-${first + text.length - 1}` };
  return await send(registry, "PATCH", path, { headers, body: text });
}

describe("upload in one request", () => {
  test.each(["sha256", "sha512"] as const)("POST ?digest= stores a %s blob", async algorithm => {
    const registry = await start();
    const digest = digestOf("hello", algorithm);
    const reply = await send(registry, "POST", `/v2/app/blobs/uploads/?digest=${digest}`, { body: "hello" });
    expect(reply.status).toBe(201);
    expect(reply.headers).toMatchObject({ location: `/v2/app/blobs/${digest}`, "docker-content-digest": digest });
    expect((await send(registry, "GET", `/v2/app/blobs/${digest}`)).body.toString()).toBe("hello");
  });

  test("POST then PUT stores an empty blob, and a large one that is sent without a length", async () => {
    const registry = await start();
    const bytes = randomBytes(5 * 1024 * 1024 + 3);
    for (const parts of [[], [bytes.subarray(0, 7), bytes.subarray(7)]]) {
      const digest = digestOf(Buffer.concat(parts));
      const path = await startUpload(registry, "app");
      expect((await send(registry, "PUT", `${path}?digest=${digest}`, { body: parts })).status).toBe(201);
      const { body } = await send(registry, "GET", `/v2/app/blobs/${digest}`);
      expect(body.equals(Buffer.concat(parts))).toBe(true);
    }
  });

  test("bytes that are not what the digest says are refused and leave nothing behind", async () => {
    const store = await makeFolder();
    const registry = await start({ store });
    const digest = digestOf("hello");
    const path = await startUpload(registry, "app");
    for (const [method, target] of [
      ["POST", `/v2/app/blobs/uploads/?digest=${digest}`],
      ["PUT", `${path}?digest=${digest}`],
    ] as const) {
      const reply = await send(registry, method, target, { body: "HELLO" });
      expect([reply.status, ...errorCodes(reply)]).toEqual([400, "DIGEST_INVALID"]);
    }
    expect((await send(registry, "GET", `/v2/app/blobs/${digest}`)).status).toBe(404);
    expect((await send(registry, "GET", path)).status).toBe(404);
    expect(await readdir(join(store, "uploads"))).toEqual([]);
    expect(await readdir(join(store, "blobs"))).toEqual([]);
  });

  test("PUT without a digest, or with one of another kind, is refused and the session stays", async () => {
    const registry = await start();
    const path = await startUpload(registry, "app");
    for (const query of ["", "?digest=md5:abc", "?digest=sha256:ABC"]) {
      const reply = await send(registry, "PUT", `${path}${query}`, { body: "x" });
      expect([reply.status, ...errorCodes(reply)]).toEqual([400, "DIGEST_INVALID"]);
    }
    expect((await send(registry, "PUT", `${path}?digest=${digestOf("x")}`, { body: "x" })).status).toBe(201);
  });
});

describe("upload in chunks", () => {
  test("takes them in order, the last one in the PUT", async () => {
    const registry = await start();
    const path = await startUpload(registry, "app");
    const first = await patch(registry, path, 0, "hel");
    expect([first.status, first.headers.range, first.headers.location]).toEqual([202, "0-2", path]);
    const headers = { "content-range": "3-4" };
    const last = await send(registry, "PUT", `${path}?digest=${digestOf("hello")}`, { headers, body: "lo" });
    expect(last.status).toBe(201);
    expect((await send(registry, "GET", `/v2/app/blobs/${digestOf("hello")}`)).body.toString()).toBe("hello");
    expect((await send(registry, "GET", path)).status).toBe(404);
  });

  test("answers 416 out of order, tells where it is, and goes on from there", async () => {
    const registry = await start();
    const path = await startUpload(registry, "app");
    expect((await send(registry, "GET", path)).headers.range).toBe("0-0");
    expect((await patch(registry, path, 3, "lo")).status).toBe(416);
    await patch(registry, path, 0, "hel");
    const ahead = await patch(registry, path, 4, "o");
    expect([ahead.status, ahead.headers.range, ahead.headers.location]).toEqual([416, "0-2", path]);
    expect((await patch(registry, path, 0, "hel")).status).toBe(416);
    const status = await send(registry, "GET", path);
    expect([status.status, status.headers.range]).toEqual([204, "0-2"]);
    expect((await patch(registry, path, 3, "lo")).status).toBe(202);
    expect((await send(registry, "PUT", `${path}?digest=${digestOf("hello")}`)).status).toBe(201);
  });

  test("takes a stream without Content-Range, and a sha512 digest that nobody announced", async () => {
    const registry = await start();
    const path = await startUpload(registry, "app");
    const digest = digestOf("hello", "sha512");
    expect((await send(registry, "PATCH", path, { body: [Buffer.from("he"), Buffer.from("llo")] })).status).toBe(202);
    expect((await send(registry, "PUT", `${path}?digest=${digest}`)).status).toBe(201);
    expect((await send(registry, "GET", `/v2/app/blobs/${digest}`)).body.toString()).toBe("hello");
  });

  test.each([
    ["5 bytes announced as 3", "0-2", "SIZE_INVALID"],
    ["5 bytes announced as 9", "0-8", "SIZE_INVALID"],
    ["the form of downloads", "bytes 0-4/5", "BLOB_UPLOAD_INVALID"],
  ])("refuses a Content-Range with %s", async (_case, range, code) => {
    const registry = await start();
    for (const body of ["hello", [Buffer.from("hello")]]) {
      const path = await startUpload(registry, "app");
      const reply = await send(registry, "PATCH", path, { headers: { "content-range": range }, body });
      expect([reply.status, ...errorCodes(reply)]).toEqual([400, code]);
    }
  });

  test("keeps what came before the connection broke, and goes on from there", async () => {
    const registry = await start();
    const path = await startUpload(registry, "app");
    const bytes = randomBytes(1024 * 1024);
    const { host, port } = addressOf(registry);
    const headers = { "content-length": String(bytes.length) };
    const outgoing = request({ host, port, method: "PATCH", path, headers });
    outgoing.on("error", () => undefined);
    outgoing.write(bytes.subarray(0, 600_000));
    while ((await send(registry, "GET", path)).headers.range === "0-0");
    outgoing.destroy(new Error("cut"));
    // The server may not have noticed yet. The next request takes over, and its 416 tells what is kept.
    const wrong = await patch(registry, path, 0, "x");
    expect(wrong.status).toBe(416);
    const kept = Number(wrong.headers.range?.slice(2)) + 1;
    expect(kept).toBeGreaterThan(1);
    expect(kept).toBeLessThanOrEqual(600_000);
    const rest = { "content-range": `${kept}-${bytes.length - 1}` };
    const reply = await send(registry, "PATCH", path, { headers: rest, body: bytes.subarray(kept) });
    expect([reply.status, reply.headers.range]).toEqual([202, `0-${bytes.length - 1}`]);
    expect((await send(registry, "PUT", `${path}?digest=${digestOf(bytes)}`)).status).toBe(201);
  });
});

describe("upload session", () => {
  test("DELETE cancels it and frees the disk", async () => {
    const store = await makeFolder();
    const registry = await start({ store });
    const path = await startUpload(registry, "app");
    await patch(registry, path, 0, "hel");
    expect(await readdir(join(store, "uploads"))).toHaveLength(1);
    expect((await send(registry, "DELETE", path)).status).toBe(204);
    expect(await readdir(join(store, "uploads"))).toEqual([]);
    const reply = await patch(registry, path, 3, "lo");
    expect([reply.status, ...errorCodes(reply)]).toEqual([404, "BLOB_UPLOAD_UNKNOWN"]);
  });

  test("belongs to one repository", async () => {
    const registry = await start();
    const path = await startUpload(registry, "app");
    expect((await send(registry, "GET", path.replace("/app/", "/other/"))).status).toBe(404);
  });

  test("refuses a digest algorithm that it cannot compute", async () => {
    const registry = await start();
    const reply = await send(registry, "POST", "/v2/app/blobs/uploads/?digest-algorithm=blake3");
    expect([reply.status, ...errorCodes(reply)]).toEqual([400, "DIGEST_INVALID"]);
    await startUpload(registry, "app", "?digest-algorithm=sha512");
  });

  test("two clients may push the same blob at once", async () => {
    const registry = await start();
    const bytes = randomBytes(300_000);
    const digests = await Promise.all(Array.from({ length: 8 }, async () => await pushBlob(registry, "app", bytes)));
    const { body } = await send(registry, "GET", `/v2/app/blobs/${digests[0] ?? ""}`);
    expect(body.equals(bytes)).toBe(true);
  });

  test("pushes and deletes of one blob at once leave it whole or gone", async () => {
    const registry = await start();
    const digest = digestOf("hello");
    const path = `/v2/app/blobs/${digest}`;
    const tasks = Array.from({ length: 20 }, async (_, turn) =>
      turn % 2 === 0 ? void (await pushBlob(registry, "app", "hello")) : void (await send(registry, "DELETE", path)),
    );
    await Promise.all(tasks);
    const { status, body } = await send(registry, "GET", path);
    expect(status === 200 ? body.toString() : "hello").toBe("hello");
    await pushBlob(registry, "app", "hello");
    expect((await send(registry, "GET", path)).body.toString()).toBe("hello");
  });
});
