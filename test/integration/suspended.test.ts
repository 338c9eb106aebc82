import { join } from "node:path";
import { expect, test } from "vitest";
import { deferred } from "../../src/util/promises.ts";
import { seededBytes, storeImage, temporaryFolder } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { startCommand } from "../support/started-command.ts";

const MIB = 1024 * 1024;
const LAYER = Buffer.alloc(3 * MIB, seededBytes("suspended", 4099));

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
