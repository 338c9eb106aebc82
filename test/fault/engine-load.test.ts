// Images that go into docker or podman: what it gets, and what happens where it fails.
import { Writable } from "node:stream";
import { afterAll, describe, expect, test, vi } from "vitest";
import { convert, pull } from "../../src/index.ts";
import { ownEnvironment, runCommand, said } from "../support/command-line.ts";
import { dockerArchive, fileWith, seededBytes, storeImage } from "../support/images.ts";
import { type EngineScript, ScriptedEngine } from "../support/scripted-engine.ts";
import { type Fault, ScriptedRegistry } from "../support/scripted-registry.ts";

ownEnvironment();
afterAll(() => void vi.unstubAllEnvs());

const LAYER = seededBytes("load", 3 * 1024 * 1024);

async function started(
  script: EngineScript = {},
  faults: readonly Fault[] = [],
): Promise<{ readonly engine: ScriptedEngine; readonly registry: ScriptedRegistry; readonly reference: string }> {
  const [engine, registry] = await Promise.all([ScriptedEngine.start(script), ScriptedRegistry.start({ faults })]);
  storeImage(registry.content, [LAYER]);
  vi.stubEnv("DOCKER_HOST", `unix://${engine.socket}`);
  vi.stubEnv("CONTAINER_HOST", `unix://${engine.socket}`);
  return { engine, registry, reference: `${registry.host}/app:1` };
}

describe("imgpack pull REF -o docker://", () => {
  test("docker gets the very archive that -o - writes, and the result says what it has loaded", async () => {
    const { engine, reference } = await started();
    const { engine: used, output } = await pull([reference], { output: "docker://", platform: "linux/amd64" });
    const written: Buffer[] = [];
    const stream = new Writable({
      write(chunk: Buffer, _encoding, onDone) {
        written.push(chunk);
        onDone();
      },
    });
    await pull([reference], { output: stream, platform: "linux/amd64" });
    expect(engine.loads).toHaveLength(1);
    expect(engine.loads[0]?.equals(Buffer.concat(written))).toBe(true);
    expect(output).toBe("docker://");
    expect(used).toEqual({ kind: "docker", version: "28.5.2", address: `unix://${engine.socket}`, loaded: ["app:1"] });
    expect(engine.requests).toContain("POST /images/load?quiet=1");
  });

  test("podman gets it by its own API", async () => {
    const { engine, reference } = await started({ loaded: '{"Names":["localhost/app:1"]}' });
    const { engine: used } = await pull([reference], { output: "podman://", platform: "linux/amd64" });
    expect(used?.loaded).toEqual(["localhost/app:1"]);
    expect(engine.requests).toContain("POST /v4.0.0/libpod/images/load");
  });

  test("the command prints what docker has loaded, escaped", async () => {
    const { reference } = await started({ loaded: '{"stream":"Loaded image: app:1\\u001b[31m\\n"}\r\n' });
    const ended = await runCommand("pull", reference, "-o", "docker://", "--platform", "linux/amd64");
    expect(ended.exitCode).toBe(0);
    expect(ended.stderr).toContain("Loaded image: app:1\\u{1b}[31m\n");
    expect(ended.stdout).toMatch(/\/app:1@sha256:/);
  });

  test("convert IN docker:// loads an archive", async () => {
    const { engine } = await started();
    const { engine: used } = await convert(await fileWith(dockerArchive({ tags: ["app:1"] })), { output: "docker://" });
    expect(used?.loaded).toEqual(["app:1"]);
    expect(engine.loads).toHaveLength(1);
  });

  test("--dry-run asks docker for its version, and loads nothing", async () => {
    const { engine, reference } = await started();
    await runCommand("pull", reference, "-o", "docker://", "--platform", "linux/amd64", "--dry-run");
    expect(engine.requests).toEqual(["GET /version"]);
  });
});

describe("imgpack pull REF -o docker://, when it fails", () => {
  const pulled = async (reference: string): ReturnType<typeof runCommand> =>
    await runCommand("pull", reference, "-o", "docker://", "--platform", "linux/amd64");

  test.each<[string, EngineScript, number, string]>([
    [
      "status 500",
      { answers: [{ on: /load/, status: 500, body: '{"message":"no space left"}' }] },
      8,
      'Cannot load images into docker at unix://PATH: the engine says "no space left", expected success',
    ],
    [
      "an error after it has begun to answer",
      { loaded: '{"status":"Loading layer"}\n{"errorDetail":{"message":"bad tar"},"error":"bad tar"}\n' },
      8,
      'Cannot load images into docker at unix://PATH: the engine says "bad tar", expected success',
    ],
    [
      "no image",
      { loaded: "" },
      8,
      "Cannot load images into docker at unix://PATH: the engine says nothing, expected success",
    ],
    [
      "no JSON",
      { loaded: "<html>" },
      8,
      "Cannot load images into docker at unix://PATH: the answer is no JSON, expected what was loaded",
    ],
    [
      "a connection that it closes",
      { cutLoadAfter: 1_000_000 },
      7,
      "Cannot load images into docker at unix://PATH: the engine closed the connection, expected it to finish",
    ],
    [
      "status 500 before it has the archive",
      { answers: [{ on: /load/, status: 500, body: '{"message":"no space left"}' }], answerLoadAfter: 1 },
      8,
      'Cannot load images into docker at unix://PATH: the engine says "no space left", expected success',
    ],
    [
      "an error before it has the archive",
      { loaded: '{"error":"bad tar"}\n', answerLoadAfter: 1 },
      8,
      'Cannot load images into docker at unix://PATH: the engine says "bad tar", expected success',
    ],
    [
      "success before it has the archive",
      { answerLoadAfter: 1 },
      8,
      "Cannot load images into docker at unix://PATH: the engine answered too early, expected it to take the whole archive",
    ],
    [
      "a connection that it closes at once",
      { cutLoadAfter: 1 },
      7,
      "Cannot load images into docker at unix://PATH: the engine closed the connection, expected it to finish",
    ],
  ])("an engine that answers with %s", async (_what, script, exitCode, message) => {
    const { engine, reference } = await started(script);
    const ended = await pulled(reference);
    expect(said(ended, engine.socket)[0]).toBe(message);
    expect(ended.exitCode).toBe(exitCode);
    expect(ended.stdout).toBe("");
  });

  test.each<[string, EngineScript, number]>([
    ["refuses", { answers: [{ on: /load/, status: 500, body: '{"message":"no space left"}' }] }, 8],
    ["closes the connection", { cutLoadAfter: 1 }, 7],
  ])("a small image that docker %s is not blamed on stdout", async (_what, script, exitCode) => {
    const { engine } = await started({ ...script, answerLoadAfter: 1 });
    const ended = await runCommand("convert", await fileWith(dockerArchive({ tags: ["app:1"] })), "docker://");
    expect(said(ended, engine.socket)[0]).toMatch(/^Cannot load images into docker at unix:\/\/PATH: the engine /);
    expect(ended.exitCode).toBe(exitCode);
  });

  test("a layer that is cut at the registry leaves docker without the end of the archive", async () => {
    const cut = {
      on: /^GET .*\/blobs\//,
      times: 100,
      when: ({ path }: { path: string }) => path.includes("blobs"),
      cut: 500,
    };
    const { engine, reference } = await started({}, [cut]);
    const ended = await pulled(reference);
    expect(ended.exitCode).not.toBe(0);
    expect(engine.loads).toEqual([]);
  });

  test("a layer with other bytes leaves docker without the end of the archive", async () => {
    const change: Fault = {
      on: /^GET .*\/blobs\//,
      times: 100,
      change: ({ body }) => ({ body: Buffer.concat([Buffer.from(body).subarray(0, -1), Buffer.from("!")]) }),
    };
    const { engine, reference } = await started({}, [change]);
    const ended = await pulled(reference);
    expect(ended.exitCode).toBe(6);
    expect(engine.loads).toEqual([]);
  });

  test("an aborted pull leaves docker without the end of the archive", async () => {
    const { engine, reference } = await started();
    const stop = new AbortController();
    const reason = new Error("enough");
    engine.onLoadBytes(bytes => bytes > 1_000_000 && stop.abort(reason));
    await expect(pull([reference], { output: "docker://", platform: "linux/amd64", signal: stop.signal })).rejects.toBe(
      reason,
    );
    expect(engine.loads).toEqual([]);
  });

  test("a name after docker:// is refused, and so are what only files can be", async () => {
    const { engine, reference } = await started();
    for (const words of [
      ["-o", "docker://app:2"],
      ["-o", "docker://", "--volume-size", "10M"],
      ["-o", "docker://", "--with-tool", "linux-x64"],
    ]) {
      expect((await runCommand("pull", reference, ...words)).exitCode).toBe(2);
    }
    expect(engine.loads).toEqual([]);
  });

  test("Docker before 23 gets zstd layers as gzip, without --for", async () => {
    const { engine } = await started({ version: "20.10.24+dfsg1" });
    const ended = await runCommand("convert", "fixtures/docker28-containerd-zstd.tar", "docker://");
    expect(ended.exitCode).toBe(0);
    const archive = engine.loads[0]?.toString("latin1") ?? "";
    expect(archive).not.toContain("\x28\xb5\x2f\xfd");
    expect(archive).toContain("\x1f\x8b\x08");
  });
});
