// Archives with bit rot, and files that change while they are served.

import { once } from "node:events";
import { appendFile, chmod, copyFile, mkdir, open, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { blobName } from "../../src/archive/blob-name.ts";
import type { Digest } from "../../src/oci/digest.ts";
import type { ServeEvent } from "../../src/serve/serve-event.ts";
import type { RunningRegistry } from "../../src/serve/server.ts";
import { seededBytes, temporaryFolder } from "../support/images.ts";
import { type LayoutArchive, layoutArchive } from "../support/layout-archives.ts";
import { sha256 } from "../support/memory-registry.ts";
import { startArchives } from "../unit/serve/archive-registry.ts";
import { addressOf, errorCodes, type Reply, send } from "../unit/serve/registry-client.ts";

const MIB = 1024 * 1024;
const SMALL = seededBytes("small", 3000);
/** Three pieces. */
const LARGE = seededBytes("large", 9 * MIB);
const OTHER = seededBytes("other", 2000);

interface Scene {
  readonly path: string;
  readonly image: LayoutArchive;
}

async function scene(pieceBytes?: number): Promise<Scene> {
  const path = join(await temporaryFolder(), "site.tar");
  const image = layoutArchive(
    [
      { names: ["a.lan/app:1"], layers: [SMALL, LARGE] },
      { names: ["a.lan/other:1"], layers: [OTHER] },
    ],
    pieceBytes,
  );
  await writeFile(path, image.bytes);
  return { path, image };
}

async function flip({ path, image }: Scene, digest: Digest, at: number): Promise<void> {
  await using file = await open(path, "r+");
  const position = (image.offsets.get(digest) ?? 0) + at;
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, position);
  byte.writeUInt8(byte.readUInt8(0) ^ 1, 0);
  await file.write(byte, 0, 1, position);
}

function firstError(reply: Reply): { readonly message: string; readonly detail: object } {
  return JSON.parse(reply.body.toString()).errors[0];
}

/** Bytes of a body until its end, or until the connection is cut. */
async function received(registry: RunningRegistry, path: string): Promise<Buffer> {
  return await bodyOf(requested(registry, path));
}

function requested(registry: RunningRegistry, path: string): Socket {
  const socket = connect(addressOf(registry).port, "127.0.0.1");
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  return socket;
}

async function bodyOf(socket: Socket): Promise<Buffer> {
  const parts: Buffer[] = [];
  await new Promise(resolve =>
    socket
      .on("data", part => parts.push(part))
      .on("error", resolve)
      .on("close", resolve),
  );
  const reply = Buffer.concat(parts);
  return reply.subarray(reply.indexOf("\r\n\r\n") + 4);
}

describe("a damaged copy of what another file has, too", () => {
  test.each([
    ["the damaged one first", true],
    ["the good one first", false],
  ])("hides the good one from no later request, and stays reported: %s", async (_, isFirst) => {
    const at = await scene();
    const good = join(await temporaryFolder(), "good.tar");
    await copyFile(at.path, good);
    const [manifest] = at.image.manifests;
    for (const digest of [sha256(SMALL), manifest as Digest]) await flip(at, digest, 20);
    const events: ServeEvent[] = [];
    const registry = await startArchives(isFirst ? [at.path, good] : [good, at.path], events);
    const path = `/v2/app/blobs/${sha256(SMALL)}`;
    if (isFirst) expect((await send(registry, "GET", path)).status).toBe(500);
    for (const method of ["GET", "HEAD"]) expect((await send(registry, method, path)).status).toBe(200);
    expect((await send(registry, "GET", path)).body.equals(SMALL)).toBe(true);
    for (const reference of ["1", manifest])
      expect((await send(registry, "GET", `/v2/app/manifests/${reference}`)).status).toBe(200);
    const damaged = events.flatMap(event => (event.kind === "damage" ? [event.digest] : []));
    expect(damaged.toSorted()).toEqual(isFirst ? [sha256(SMALL), manifest].toSorted() : [manifest]);
  });
});

describe("a damaged blob of an archive", () => {
  test("is 500 where its first piece is wrong, then 404 with the file and what to do; all others are served", async () => {
    const at = await scene();
    await flip(at, sha256(SMALL), 1000);
    const events: ServeEvent[] = [];
    const registry = await startArchives([at.path], events);
    const path = `/v2/app/blobs/${sha256(SMALL)}`;
    const first = await send(registry, "GET", path);
    expect([first.status, ...errorCodes(first)]).toEqual([500, "UNKNOWN"]);
    for (const method of ["GET", "HEAD"]) expect((await send(registry, method, path)).status).toBe(404);
    const reply = await send(registry, "GET", path);
    expect(errorCodes(reply)).toEqual(["BLOB_UNKNOWN"]);
    expect(firstError(reply)).toMatchObject({
      message: expect.stringMatching(/: file "site.tar" is damaged\. Run "imgpack verify --need"/),
      detail: { reason: "damage", file: "site.tar" },
    });
    expect((await send(registry, "GET", `/v2/other/blobs/${sha256(OTHER)}`)).body.equals(OTHER)).toBe(true);
    expect((await send(registry, "GET", `/v2/app/blobs/${sha256(LARGE)}`)).body.equals(LARGE)).toBe(true);
    expect(events).toMatchObject([{ kind: "damage", path: at.path, found: expect.stringContaining("sha256:") }]);
  });

  test("with sums, ends before the first byte of the wrong piece; without, before the last piece", async () => {
    for (const pieceBytes of [undefined, 4 * MIB]) {
      const at = await scene(pieceBytes);
      await flip(at, sha256(LARGE), 5 * MIB);
      const registry = await startArchives([at.path]);
      const bytes = await received(registry, `/v2/app/blobs/${sha256(LARGE)}`);
      expect(bytes.length).toBeLessThanOrEqual(pieceBytes ?? 8 * MIB);
      if (pieceBytes !== undefined) expect(bytes.equals(LARGE.subarray(0, bytes.length))).toBe(true);
      const reply = await send(registry, "GET", `/v2/app/blobs/${sha256(LARGE)}`);
      expect(reply.status).toBe(404);
      const where = pieceBytes === undefined ? "" : ` in bytes ${4 * MIB} to ${8 * MIB - 1} of it`;
      expect(firstError(reply).message).toContain(`is damaged${where}.`);
    }
  });

  test("gives no range, not even of bytes that are right", async () => {
    const at = await scene();
    await flip(at, sha256(LARGE), 8 * MIB + 7);
    const registry = await startArchives([at.path]);
    const headers = { range: "bytes=0-99" };
    const path = `/v2/app/blobs/${sha256(LARGE)}`;
    expect((await send(registry, "GET", path, { headers })).status).toBe(500);
    expect((await send(registry, "GET", path, { headers })).status).toBe(404);
  });

  test("that is a manifest is 404 by tag and by digest, and the others start", async () => {
    const at = await scene();
    const [manifest = "sha256:"] = at.image.manifests;
    await flip(at, manifest as Digest, 20);
    const events: ServeEvent[] = [];
    const registry = await startArchives([at.path], events);
    for (const reference of ["1", manifest]) {
      const reply = await send(registry, "GET", `/v2/app/manifests/${reference}`);
      expect([reply.status, ...errorCodes(reply)]).toEqual([404, "MANIFEST_UNKNOWN"]);
      expect(firstError(reply).detail).toMatchObject({ reason: "damage", file: "site.tar" });
    }
    expect((await send(registry, "GET", "/v2/other/manifests/1")).status).toBe(200);
    expect(events).toMatchObject([{ kind: "damage", path: at.path, found: expect.any(String) }]);
  });
});

describe("a file that changes underneath", () => {
  /** Serves the scene, and a file with an image of its own. */
  async function startBesideAnother() {
    const [first, second] = [await scene(), await temporaryFolder()];
    const other = layoutArchive([{ names: ["b.lan/apart:1"], layers: [seededBytes("apart", 900)] }]);
    const apart = join(second, "apart.tar");
    await writeFile(apart, other.bytes);
    const events: ServeEvent[] = [];
    return { first, events, registry: await startArchives([first.path, apart], events) };
  }

  const CHANGES: Readonly<Record<string, (path: string) => Promise<void>>> = {
    written: async path => {
      await using file = await open(path, "r+");
      await file.write(Buffer.from("x"), 0, 1, 100);
    },
    grown: async path => await appendFile(path, "x"),
    cut: async path => await truncate(path, 5000),
    removed: async path => await rm(path),
    replaced: async path => {
      await copyFile(path, `${path}.new`);
      await rename(`${path}.new`, path);
    },
    "changed in its mode": async path => await chmod(path, 0o600),
  };

  test.each(Object.entries(CHANGES))("%s: 503 for everything in it, and for nothing else", async (_, change) => {
    const { first, events, registry } = await startBesideAnother();
    const path = `/v2/app/blobs/${sha256(SMALL)}`;
    expect((await send(registry, "GET", path)).status).toBe(200);
    expect((await send(registry, "GET", "/healthz")).status).toBe(200);
    await change(first.path);
    for (const asked of [path, "/v2/app/manifests/1", `/v2/other/blobs/${sha256(OTHER)}`]) {
      const reply = await send(registry, "GET", asked);
      expect([reply.status, ...errorCodes(reply)]).toEqual([503, "UNKNOWN"]);
      expect(firstError(reply)).toMatchObject({
        message: 'file "site.tar" has changed since this registry was started: start it again',
        detail: { reason: "changed", file: "site.tar" },
      });
    }
    expect((await send(registry, "GET", "/v2/apart/manifests/1")).status).toBe(200);
    expect(events).toEqual([{ kind: "damage", path: first.path, found: expect.any(String), hasChanged: true }]);
    const health = await send(registry, "GET", "/healthz");
    const found = 'file "site.tar" has changed: start the registry again';
    expect([health.status, JSON.parse(health.body.toString()).found]).toEqual([503, found]);
  });

  test.each([
    ["before anything was read of it", false],
    ["after its images were listed", true],
  ])("%s: /healthz names it, and the pages of the other files continue", async (_, isListed) => {
    const { first, events, registry } = await startBesideAnother();
    const page = async (path: string): Promise<Reply> =>
      await send(registry, "GET", path, { headers: { accept: "text/html" } });
    if (isListed) expect((await page("/")).status).toBe(200);
    await rm(first.path);
    const health = await send(registry, "GET", "/healthz");
    expect([health.status, JSON.parse(health.body.toString()).found]).toEqual([
      503,
      'file "site.tar" has changed: start the registry again',
    ]);
    for (const path of ["/", "/damage", "/report", "/image/b.lan/apart:1", "/image/a.lan/app:1"]) {
      const reply = await page(path);
      expect([path, reply.status, reply.headers["content-type"]]).toEqual([path, 200, "text/html; charset=utf-8"]);
    }
    expect((await page("/damage")).body.toString()).toContain("has changed since the server was started");
    const { images } = JSON.parse((await send(registry, "GET", "/index.json")).body.toString());
    expect(images).toMatchObject([
      { name: "a.lan/app:1", broken: [{}, {}, {}].slice(0, isListed ? 3 : 1) },
      { name: "a.lan/other:1" },
      { name: "b.lan/apart:1", broken: [] },
    ]);
    expect((await send(registry, "GET", "/v2/app/manifests/1")).status).toBe(503);
    expect((await send(registry, "GET", "/v2/apart/manifests/1")).status).toBe(200);
    expect(events).toHaveLength(1);
  });

  test("while it is sent: the connection is cut, and no byte of the new file goes out", async () => {
    const at = await scene();
    const registry = await startArchives([at.path]);
    const socket = requested(registry, `/v2/app/blobs/${sha256(LARGE)}`);
    await once(socket, "readable");
    await writeFile(at.path, Buffer.alloc(at.image.bytes.length, "new"));
    const body = await bodyOf(socket);
    expect(body.length).toBeLessThan(LARGE.length);
    expect(body.equals(LARGE.subarray(0, body.length))).toBe(true);
  });

  test("in a folder, it is that file alone", async () => {
    const folder = await temporaryFolder();
    const { image } = await scene();
    await mkdir(join(folder, "blobs", "sha256"), { recursive: true });
    await writeFile(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
    const manifests = image.manifests.map((digest, index) => ({
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest,
      size: image.blobs.get(digest)?.length,
      annotations: { "io.containerd.image.name": index === 0 ? "a.lan/app:1" : "a.lan/other:1" },
    }));
    await writeFile(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
    for (const [digest, bytes] of image.blobs) await writeFile(join(folder, blobName(digest)), bytes);
    const registry = await startArchives([folder]);
    const small = join(folder, blobName(sha256(SMALL)));
    const path = `/v2/app/blobs/${sha256(SMALL)}`;
    expect((await send(registry, "GET", path)).body.equals(SMALL)).toBe(true);
    await writeFile(small, await readFile(small));
    expect((await send(registry, "GET", path)).status).toBe(503);
    expect((await send(registry, "GET", `/v2/app/blobs/${sha256(LARGE)}`)).body.equals(LARGE)).toBe(true);
    expect((await send(registry, "GET", "/v2/app/manifests/1")).status).toBe(200);
  });
});
