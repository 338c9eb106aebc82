// Two PID namespaces, as two containers have them, on one output and on one store.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { COMMAND } from "../support/command.ts";
import { seededBytes } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { describeWith, type Probe } from "./peers/describe-with.ts";
import { poll } from "./peers/poll.ts";
import { run } from "./peers/run.ts";
import { createTempFolder, type TempFolder } from "./peers/temp-folder.ts";

/** What follows is the first process of a new namespace: every one of them has the pid 1. */
const CONTAINER = ["--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"];
const LAYER = seededBytes("containers", 4 * 1024 * 1024);

async function probeUnshare(): Promise<Probe> {
  const { code, stderr } = await run("unshare", [...CONTAINER, ...COMMAND, "--version"]).catch(error => ({
    code: 1,
    stderr: String(error),
  }));
  return { name: "unshare", missing: code === 0 ? undefined : stderr.trim() };
}

describeWith([await probeUnshare()], "imgpack in two containers", () => {
  let folder: TempFolder;
  beforeAll(async () => {
    folder = await createTempFolder();
  });
  afterAll(() => folder?.remove());

  interface Run {
    readonly child: ChildProcess;
    readonly code: Promise<number | null>;
    text(): string;
  }

  function inContainer(...words: readonly string[]): Run {
    const env = { ...process.env, IMGPACK_CACHE_DIR: join(folder.path, "cache") };
    const child = spawn("unshare", [...CONTAINER, ...COMMAND, ...words], { env, stdio: ["ignore", "pipe", "pipe"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += String(chunk)));
    return { child, text: () => text, code: once(child, "close").then(([code]) => code as number | null) };
  }

  const until = async (run: Run, isReached: () => boolean): Promise<true> =>
    await poll(() => isReached() || undefined, { timeoutMs: 60_000, describe: run.text });

  test("a second pull gives way while the first lives, and continues in its place when it was killed", async () => {
    const registry = await slowRegistry();
    const out = join(folder.path, "out.tar");
    const words = ["pull", `${registry.host}/app:1`, "-o", out, "--plain-http", "--layers", "keep"];
    const first = inContainer(...words);
    await until(first, () => registry.stalled() > 0 && existsSync(`${out}.partial`));
    const second = inContainer(...words);
    expect(await second.code, second.text()).toBe(9);
    expect(second.text()).toContain("process 1 of another container or machine is writing it, expected no other");
    first.child.kill("SIGKILL");
    await first.code;
    registry.goOn();
    const third = inContainer(...words);
    expect(await third.code, third.text()).toBe(0);
    expect(third.text()).toContain("is in use by process 1 of another container or machine: waiting 6 s");
    expect(third.text()).toContain("Resuming");
    expect((await readFile(out)).includes(LAYER)).toBe(true);
  });

  test("a second server does not open the store of the first", async () => {
    const words = ["serve", "--store", join(folder.path, "store"), "--listen", "127.0.0.1:0"];
    const first = inContainer(...words);
    await until(first, () => first.text().includes("http://"));
    const second = inContainer(...words);
    expect(await second.code, second.text()).toBe(9);
    expect(second.text()).toContain("store in use by process 1 of another container or machine");
  });
});

/** Has one image, and sends half of its layer. */
async function slowRegistry(): Promise<{ readonly host: string; stalled(): number; goOn(): void }> {
  const config = Buffer.from(
    JSON.stringify({ os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [sha256(LAYER)] } }),
  );
  const type = "application/vnd.oci.image.manifest.v1+json";
  const descriptor = (mediaType: string, bytes: Buffer): object => {
    return { mediaType, digest: sha256(bytes), size: bytes.length };
  };
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: type,
      config: descriptor("application/vnd.oci.image.config.v1+json", config),
      layers: [descriptor("application/vnd.oci.image.layer.v1.tar", LAYER)],
    }),
  );
  let stalled = 0;
  let isSlow = true;
  const server = createServer(({ url = "" }, response) => {
    const bytes = url.includes("/manifests/") ? manifest : url.endsWith(sha256(LAYER)) ? LAYER : config;
    response.setHeader("content-type", bytes === manifest ? type : "application/octet-stream");
    response.setHeader("content-length", bytes.length);
    if (url === "/v2/") return void response.writeHead(200, { "content-length": 2 }).end("{}");
    if (bytes !== LAYER || !isSlow) return void response.end(bytes);
    stalled += 1;
    response.write(LAYER.subarray(0, LAYER.length / 2));
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const goOn = (): void => {
    isSlow = false;
  };
  return { host, stalled: () => stalled, goOn };
}
