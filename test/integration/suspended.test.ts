import { join } from "node:path";
import { expect, test } from "vitest";
import { deferred } from "../../src/util/promises.ts";
import { dockerArchive, fileWith, seededBytes, storeImage, temporaryFolder } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { startCommand } from "../support/started-command.ts";

const MIB = 1024 * 1024;
const LAYER = Buffer.alloc(3 * MIB, seededBytes("suspended", 4099));
const NO_PATTERN = seededBytes("suspended", 3 * MIB);

test("a pull that is stopped until its registry has closed all connections continues after SIGCONT", async () => {
  const registry = await ScriptedRegistry.start();
  storeImage(registry.content, [LAYER]);
  const isUnderWay = deferred<void>();
  const blob = new RegExp(`^GET /v2/app/blobs/${sha256(LAYER)}`);
  registry.addFault({
    on: blob,
    stall: { after: MIB + 5, until: new Promise(() => undefined) },
    onRequest: () => isUnderWay.resolve(),
  });
  const output = join(await temporaryFolder(), "out.tar");
  const { child, outcome } = startCommand(["pull", `${registry.host}/app:1`, "-o", output, "--platform", "all"]);
  await isUnderWay.promise;
  child.kill("SIGSTOP");
  registry.closeConnections();
  child.kill("SIGCONT");
  const { exitCode, stderr } = await outcome;
  expect(stderr).not.toContain("timed out");
  expect(exitCode).toBe(0);
  expect(registry.seen(blob)).toHaveLength(2);
});

test("a push with a rate limit that is stopped for longer than the idle timeout continues after SIGCONT", async () => {
  const registry = await ScriptedRegistry.start();
  const archive = await fileWith(dockerArchive({ tags: ["app:1"], layers: [NO_PATTERN, NO_PATTERN.subarray(5)] }));
  const isUnderWay = deferred<void>();
  registry.addFault({ on: /^(?:PATCH|PUT) \/v2\/app\/blobs\//, onRequest: () => isUnderWay.resolve() });
  const flags = ["--to", registry.host, "--limit-rate", "3M", "--timeout", "1"];
  const { child, outcome } = startCommand(["push", archive, ...flags]);
  await Promise.race([isUnderWay.promise, outcome]);
  child.kill("SIGSTOP");
  // Longer than the timeout of an upload, 2.5 s. Only the process that stands still is to miss a deadline.
  await new Promise(resolve => setTimeout(resolve, 3000));
  child.kill("SIGCONT");
  const { exitCode, stderr } = await outcome;
  expect(stderr).not.toContain("timed out");
  expect(exitCode).toBe(0);
});
