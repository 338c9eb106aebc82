import { Readable, Writable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  convert,
  copy,
  deleteImage,
  doctor,
  type ProgressEvent,
  pull,
  push,
  serve,
  verify,
} from "../../../src/index.ts";
import { dockerArchive, fileWith, seededBytes, temporaryFolder } from "../../support/images.ts";
import { json, ScriptedRegistry } from "../../support/scripted-registry.ts";
import { tarArchive, tarEntry } from "../../support/tar-builder.ts";

const LAYER = Buffer.from(tarArchive([tarEntry({ name: "hello", body: seededBytes("hello", 300_000) })]));
const ARCHIVE = dockerArchive({ tags: ["app:1"], layers: [LAYER] });
const BUSY = { on: /^GET .*manifests/, reply: json(503, {}), times: 1 };

type Listener = (event: ProgressEvent) => unknown;
type Call = (onProgress: Listener) => Promise<unknown>;

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}

async function registryWithImage(): Promise<string> {
  const { host } = await ScriptedRegistry.start({ faults: [BUSY] });
  await push([await fileWith(ARCHIVE)], { registry: host });
  return host;
}

const CALLS: readonly (readonly [string, Call])[] = [
  [
    "push()",
    async onProgress =>
      await push([await fileWith(ARCHIVE)], { registry: (await ScriptedRegistry.start()).host, onProgress }),
  ],
  [
    "push() of a pipe",
    async onProgress => {
      const stdin = Readable.from([gzipSync(ARCHIVE)], { objectMode: false });
      return await push(["-"], { stdin, tag: `${(await ScriptedRegistry.start()).host}/app:2`, onProgress });
    },
  ],
  [
    "pull()",
    async onProgress =>
      await pull([`${await registryWithImage()}/app:1`], { output: nowhere(), platform: "all", onProgress }),
  ],
  [
    "copy()",
    async onProgress => {
      const target = await ScriptedRegistry.start();
      return await copy(`${await registryWithImage()}/app:1`, `${target.host}/app:1`, { onProgress });
    },
  ],
  [
    "convert()",
    async onProgress =>
      await convert(await fileWith(gzipSync(ARCHIVE)), {
        output: `${await fileWith(ARCHIVE)}.tar`,
        layers: "gzip",
        onProgress,
      }),
  ],
  ["verify()", async onProgress => await verify(await fileWith(gzipSync(ARCHIVE)), { onProgress })],
  ["doctor()", async onProgress => await doctor(await fileWith(gzipSync(ARCHIVE)), { onProgress })],
];

describe("an error of onProgress", () => {
  test.each(CALLS)("rejects %s with that very error, at whichever event it comes", async (_name, call) => {
    const kinds = new Set<string>();
    await call(({ kind }) => kinds.add(kind));
    for (const kind of kinds) {
      const error = Object.assign(new Error(`thrown at ${kind}`), { code: "ECONNRESET" });
      const result = call(event => {
        if (event.kind === kind) throw error;
      });
      await expect(result, kind).rejects.toBe(error);
    }
  });

  test("that comes as a promise neither ends the process nor stops the call", async () => {
    const ends: unknown[] = [];
    const onUnhandled = (reason: unknown): void => void ends.push(reason);
    process.on("unhandledRejection", onUnhandled);
    try {
      const onProgress = (): unknown => Promise.reject(new Error("late"));
      await expect(verify(await fileWith(ARCHIVE), { onProgress })).resolves.toMatchObject({ faults: [] });
      await new Promise(resolve => void setImmediate(resolve));
    } finally {
      process.off("unhandledRejection", onUnhandled);
    }
    expect(ends).toEqual([]);
  });
});

test("text on stdin in place of bytes is refused as such", async () => {
  await expect(verify("-", { stdin: Readable.from(["text"]) })).rejects.toMatchObject({
    code: "ERR_USAGE",
    message: "Cannot read archive on stdin: found a stream of text or objects, expected bytes",
  });
});

test("deleteImage() takes nothing but true for consent", async () => {
  const registry = await ScriptedRegistry.start();
  await push([await fileWith(ARCHIVE)], { registry: registry.host });
  const confirm = (async () => "no") as unknown as () => Promise<boolean>;
  await expect(deleteImage(`${registry.host}/app:1`, { confirm })).resolves.toBeUndefined();
  expect(registry.seen(/^DELETE/)).toEqual([]);
});

test("an error of onEvent stops neither the request nor the process", async () => {
  const onEvent = (): never => {
    throw new Error("from onEvent");
  };
  await using registry = await serve({ store: await temporaryFolder(), onEvent });
  for (let count = 0; count < 2; count += 1) {
    const response = await fetch(`${registry.url}/v2/`);
    expect([response.status, await response.text()]).toEqual([200, "{}"]);
  }
});
