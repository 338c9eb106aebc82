import { execFileSync } from "node:child_process";
import { createWriteStream } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { sharedChunks } from "../../src/content/chunks/chunks.ts";
import { push } from "../../src/index.ts";
import { temporaryFolder } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";
import {
  expectNoSessions,
  expectNothingTagged,
  fast,
  inPieces,
  ordered,
  ownTemporaryFolder,
  pushBytes,
  pushTagged,
  tarLayer,
} from "./push-once-support.ts";
import { always, expectStored } from "./push-support.ts";

ownTemporaryFolder();

const BIG = tarLayer("big", 9_500_000);
const SMALL = tarLayer("small");
const IMAGE = ordered([BIG, SMALL], [0, "m", 1]);

/** Gives the first bytes; then nothing, and `onStall` is called when more is asked for. */
function stalling(bytes: Uint8Array, onStall: () => void): Readable {
  async function* parts(): AsyncGenerator<Uint8Array> {
    for await (const part of inPieces(bytes)) yield part as Uint8Array;
  }
  const source = parts();
  return new Readable({
    read() {
      source.next().then(
        ({ done, value }) => {
          if (done) onStall();
          else this.push(value);
        },
        error => this.destroy(error as Error),
      );
    },
  });
}

describe("push() from a pipe that stalls", () => {
  const places: readonly (readonly [string, number])[] = [
    ["before its first byte", 0],
    ["within its first bytes", 3],
    ["in its first layer", 700_000],
    ["in the middle of a large layer", 9_000_000],
    ["before its end", IMAGE.length - 600],
  ];
  describe.each([true, false])("tagged: %s", isTagged => {
    describe.each([false, true])("compressed: %s", isCompressed => {
      test.each(places)("push() ends at once when it is aborted %s", async (_where, bytes) => {
        const whole = isCompressed ? fast(IMAGE) : IMAGE;
        const given = whole.subarray(0, Math.min(bytes, whole.length - 10));
        const stop = new AbortController();
        const enough = new Error("enough");
        const stdin = stalling(given, () => setImmediate(() => stop.abort(enough)));
        const registry = await ScriptedRegistry.start();
        const tags = isTagged ? { tag: [`${registry.host}/app:1`] } : {};
        await expect(pushBytes(registry, stdin, IMAGE, { signal: stop.signal, ...tags })).rejects.toBe(enough);
        expectNothingTagged({ registry, result: undefined, error: undefined });
        expectNoSessions({ registry, result: undefined, error: undefined });
      });
    });

    test("push() ends at once when its signal was aborted before", async () => {
      const registry = await ScriptedRegistry.start();
      const tags = isTagged ? { tag: [`${registry.host}/app:1`] } : {};
      const stdin = stalling(Buffer.alloc(0), () => undefined);
      const signal = AbortSignal.abort(new Error("enough"));
      await expect(pushBytes(registry, stdin, IMAGE, { signal, ...tags })).rejects.toThrow("enough");
    });

    test("push() tells a pipe that breaks from a bug of its own", async () => {
      const registry = await ScriptedRegistry.start();
      const tags = isTagged ? { tag: [`${registry.host}/app:1`] } : {};
      const broken = Object.assign(new Error("EIO: i/o error, read"), { code: "EIO" });
      const stdin: Readable = stalling(IMAGE.subarray(0, 9_000_000), () => stdin.destroy(broken));
      const pushed = await pushBytes(registry, stdin, IMAGE, tags);
      expect(pushed.error).toMatchObject({ exitCode: 9 });
      expect(pushed.error?.message).toMatch(/stdin: input or output error, expected/);
      expectNothingTagged(pushed);
      expectNoSessions(pushed);
    });
  });

  test("push() does not read a large layer to its end after its upload was refused", async () => {
    const size = 150 * 1024 * 1024;
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      // The first entry's header and the first block of its tar.
      yield tarEntry({ name: "0/layer.tar", size }).subarray(0, 512);
      yield BIG.subarray(0, 512);
      for (; given < size; given += 65_536) yield BIG.subarray(given % 4_000_000, (given % 4_000_000) + 65_536);
    }
    const stdin = Readable.from(endless(), { objectMode: false });
    const pushed = await pushTagged(stdin, BIG, { faults: [always({ on: /^POST /, reply: { status: 403 } })] });
    expect(pushed.error).toMatchObject({ code: "ERR_AUTH" });
    expect(given).toBeLessThan(size / 2);
  });

  test("push() ends at once when it is aborted while the registry does not say what it has", async () => {
    const stop = new AbortController();
    const enough = new Error("enough");
    const server = createServer((request, response) => {
      if (request.method === "HEAD") stop.abort(enough);
      else response.end();
    });
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const blob = fast(SMALL);
    const image = tarArchive([tarEntry({ name: `blobs/sha256/${sha256(blob).slice(7)}`, body: blob })]);
    const stdin = inPieces(image);
    const pushing = push(["-"], { tag: [`${host}/app:1`], signal: stop.signal, stdin });
    await expect(pushing).rejects.toBe(enough);
    expect(sharedChunks.lentChunks).toBe(0);
  });
});

describe("push() of a named pipe", () => {
  test.each([true, false])("push() reads it to its end, tagged: %s", async isTagged => {
    const path = join(await temporaryFolder(), "image.fifo");
    execFileSync("mkfifo", [path]);
    const registry = await ScriptedRegistry.start();
    const tags = isTagged ? { tag: [`${registry.host}/app:1`] } : {};
    const [result] = await Promise.all([
      push([path], { registry: registry.host, ...tags }),
      pipeline(inPieces(fast(IMAGE)), createWriteStream(path)),
    ]);
    expectStored({ registry, result, error: undefined }, [BIG, SMALL]);
    expect(sharedChunks.lentChunks).toBe(0);
  });
});
