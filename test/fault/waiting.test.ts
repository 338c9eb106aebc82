import { join } from "node:path";
import { expect, test } from "vitest";
import type { ProgressEvent } from "../../src/index.ts";
import { ownEnvironment, runCommand } from "../support/command-line.ts";
import { storeImage, temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";

ownEnvironment();

test.each([429, 503])(
  "imgpack pull --progress json says that it waits after a %i, and that it does not any more",
  async status => {
    const registry = await ScriptedRegistry.start();
    const { host } = registry;
    storeImage(registry.content, [Buffer.from("layer")]);
    registry.addFault({ on: /^GET .*\/blobs\//, reply: { status, headers: { "retry-after": "30" } } });
    const output = join(await temporaryFolder(), "out.tar");
    const { exitCode, stderr } = await runCommand("pull", `${host}/app:1`, "-o", output, "--progress", "json");
    expect(exitCode).toBe(0);
    const lines = stderr.split("\n").filter(line => line.startsWith("{"));
    const events = lines.map(line => JSON.parse(line) as ProgressEvent);
    const seen = events.filter(({ kind }) => kind === "retry" || kind === "waiting" || kind === "resumed");
    const what = expect.any(String);
    expect(seen).toEqual([
      expect.objectContaining({ kind: "retry", registry: host, status, attempt: 1, waitMs: 30_000 }),
      expect.objectContaining({ kind: "waiting", registry: host, reason: "limit", waitedMs: 0, waitMs: 30_000 }),
      { kind: "resumed", registry: host, reason: "limit", what, waitedMs: expect.any(Number) },
    ]);
    expect(new Set(seen.map(event => ("what" in event ? event.what : ""))).size).toBe(1);
  },
);
