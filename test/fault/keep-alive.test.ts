import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { pull } from "../../src/index.ts";
import { seededBytes, storeImage, temporaryFolder } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";

const LAYER = seededBytes("keep alive", 2 * 1024 * 1024);
/** TCP keep-alive, in the sixth column of /proc/net/tcp. */
const KEEP_ALIVE_TIMER = "02";

/** Timers of established connections to a port. */
async function timersTo(port: number): Promise<readonly (string | undefined)[]> {
  const hex = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = (await readFile("/proc/net/tcp", "latin1")).split("\n").map(row => row.trim().split(/\s+/));
  return rows.flatMap(([, , remote, state, , timer]) =>
    remote?.endsWith(hex) && state === "01" ? [timer?.split(":")[0]] : [],
  );
}

test.runIf(process.platform === "linux")(
  "the system asks a registry that is silent whether it is still there, over each kind of connection",
  async () => {
    const registry = await ScriptedRegistry.start();
    storeImage(registry.content, [LAYER]);
    const port = Number(registry.host.split(":")[1]);
    const stop = new AbortController();
    const seen: (readonly (string | undefined)[])[] = [];
    for (const on of [/^GET \/v2\/app\/manifests\//, new RegExp(`^GET /v2/app/blobs/${sha256(LAYER)}`)]) {
      const look = async (): Promise<void> => {
        seen.push(await timersTo(port));
        if (seen.length === 2) stop.abort();
        release();
      };
      let release = (): void => undefined;
      const until = new Promise<void>(resolve => {
        release = resolve;
      });
      registry.addFault({ on, stall: { after: 5, until }, onRequest: () => void look() });
    }
    const output = join(await temporaryFolder(), "out.tar");
    await pull([`${registry.host}/app:1`], { output, platform: ["all"], signal: stop.signal }).catch(() => undefined);
    expect(seen).toHaveLength(2);
    for (const timers of seen) expect(timers, JSON.stringify(seen)).toContain(KEEP_ALIVE_TIMER);
    expect(seen.flat()).not.toContain("00");
  },
);
