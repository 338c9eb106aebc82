import { appendFile, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { OCI_INDEX } from "../../../src/oci/media-types.ts";
import type { ServeEvent } from "../../../src/serve/serve-event.ts";
import type { RunningRegistry } from "../../../src/serve/server.ts";
import {
  addressOf,
  descriptor,
  digestOf,
  errorCodes,
  makeFolder,
  pushBlob,
  pushImage,
  putManifest,
  send,
  start,
} from "./registry-client.ts";

const DAMAGES: Readonly<Record<string, (path: string) => Promise<void>>> = {
  flip: async path => {
    const bytes = await readFile(path);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    await writeFile(path, bytes);
  },
  cut: async path => await truncate(path, 2),
  missing: async path => await rm(path),
  grown: async path => await appendFile(path, "more"),
};

interface Scene {
  readonly registry: RunningRegistry;
  readonly events: ServeEvent[];
  contentPath(digest: string): string;
}

async function scene(): Promise<Scene> {
  const store = await makeFolder();
  const events: ServeEvent[] = [];
  const onEvent = (event: ServeEvent): void => void (event.kind === "request" ? 0 : events.push(event));
  const contentPath = (digest: string): string => {
    const [algorithm = "", hex = ""] = digest.split(":");
    return join(store, "blobs", algorithm, hex.slice(0, 2), hex);
  };
  return { registry: await start({ store, onEvent }), events, contentPath };
}

async function statuses(registry: RunningRegistry, path: string): Promise<readonly number[]> {
  const replies = [
    await send(registry, "HEAD", path),
    await send(registry, "GET", path),
    await send(registry, "GET", path, { headers: { range: "bytes=0-1" } }),
  ];
  return replies.map(({ status }) => status);
}

describe.each(Object.entries(DAMAGES))("a file of the store with bit rot: %s", (kind, damage) => {
  test.each([1000, 1_500_000])(
    "a blob of %i bytes is never served to its end, then 404, and a push heals it",
    async size => {
      const { registry, events, contentPath } = await scene();
      const bytes = Buffer.alloc(size, "blob");
      const digest = await pushBlob(registry, "app", bytes);
      await damage(contentPath(digest));
      const path = `/v2/app/blobs/${digest}`;
      if (kind === "flip") {
        // The first piece is checked before the head of the answer goes out.
        const reply = await send(registry, "GET", path);
        expect([reply.status, ...errorCodes(reply)]).toEqual([500, "UNKNOWN"]);
      }
      expect(await statuses(registry, path)).toEqual([404, 404, 404]);
      const [error] = JSON.parse((await send(registry, "GET", path)).body.toString()).errors;
      expect(error).toMatchObject({
        message: `repository app has no blob ${digest}: its file in the store is missing or damaged. Push what it belongs to again.`,
        detail: { reason: "damage" },
      });
      expect(events).toMatchObject([{ kind: "damage", path: contentPath(digest), found: expect.any(String) }]);
      const mount = await send(registry, "POST", `/v2/other/blobs/uploads/?mount=${digest}&from=app`);
      expect(mount.status).toBe(202);
      await pushBlob(registry, "app", bytes);
      expect(await statuses(registry, path)).toEqual([200, 200, 206]);
      expect((await send(registry, "GET", path)).body.equals(bytes)).toBe(true);
    },
  );

  test("a manifest is 404 by tag and by digest, is not listed as a referrer, and a push heals it", async () => {
    const { registry, events, contentPath } = await scene();
    const subject = { mediaType: OCI_INDEX, digest: digestOf("subject"), size: 7 };
    const manifest = await pushImage(registry, "app", "1", { subject });
    const digest = digestOf(manifest);
    await damage(contentPath(digest));
    const paths = ["/v2/app/manifests/1", `/v2/app/manifests/${digest}`];
    for (const path of paths) expect(await statuses(registry, path)).toEqual([404, 404, 404]);
    const referrers = await send(registry, "GET", `/v2/app/referrers/${subject.digest}`);
    expect([referrers.status, referrers.body.toString().includes(digest)]).toEqual([200, false]);
    expect(events).toMatchObject([{ kind: "damage", path: contentPath(digest), found: expect.any(String) }]);
    await pushImage(registry, "app", "1", { subject });
    for (const path of paths) expect((await send(registry, "GET", path)).body.toString()).toBe(manifest);
  });
});

describe("a manifest whose parts are damaged", () => {
  test("is refused, and names the blob that is missing", async () => {
    const { registry, contentPath } = await scene();
    const manifest = await pushImage(registry, "app", "1");
    await rm(contentPath(digestOf("layer")));
    const reply = await putManifest(registry, "/v2/app/manifests/2", manifest);
    expect([reply.status, ...errorCodes(reply)]).toEqual([400, "MANIFEST_BLOB_UNKNOWN"]);
    expect(reply.body.toString()).toContain(digestOf("layer"));
  });

  test("is refused if it gives a config another size than the stored one, while an index is not (docker/cli#1135)", async () => {
    const { registry } = await scene();
    const manifest = await pushImage(registry, "app", "1");
    const config = { ...descriptor("application/vnd.oci.image.config.v1+json", "{}"), size: 3 };
    const image = JSON.stringify({ ...JSON.parse(manifest), config });
    const child = { ...descriptor("application/vnd.oci.image.manifest.v1+json", manifest), size: 3 };
    const index = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [child] });
    const refused = await putManifest(registry, "/v2/app/manifests/2", image);
    expect([refused.status, ...errorCodes(refused)]).toEqual([400, "MANIFEST_INVALID"]);
    expect((await putManifest(registry, "/v2/app/manifests/2", index, OCI_INDEX)).status).toBe(201);
  });
});

describe("a blob that changes while it is sent", () => {
  const size = 24 * 1024 * 1024;
  test.each([
    ["cut", async (path: string) => await truncate(path, 1000), "less"],
    ["grown", async (path: string) => await appendFile(path, Buffer.alloc(size)), "exact"],
  ])("%s: the client gets its bytes or a cut connection, never more and never a hang", async (_, damage, expected) => {
    const { registry, contentPath } = await scene();
    const digest = await pushBlob(registry, "app", Buffer.alloc(size, "blob"));
    const socket = connect(addressOf(registry).port, "127.0.0.1");
    const head = `GET /v2/app/blobs/${digest} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
    // The kernel's buffers are smaller than the blob, so the server cannot have read all of it.
    await new Promise(resolve => socket.once("readable", resolve).write(head));
    await damage(contentPath(digest));
    let received = -1;
    for await (const part of socket) {
      const bytes = part as Buffer;
      received += received < 0 ? bytes.length - bytes.indexOf("\r\n\r\n") - 3 : bytes.length;
    }
    if (expected === "exact") expect(received).toBe(size);
    else expect(received).toBeLessThan(size);
  });
});
