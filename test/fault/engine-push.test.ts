// Pushes of images that docker or podman has: how they are read, and what happens where the engine fails.
import { chmodSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { convert, inspect, push, verify } from "../../src/index.ts";
import { ownEnvironment, runCommand, said } from "../support/command-line.ts";
import { dockerArchive, fileWith, temporaryFolder } from "../support/images.ts";
import { ScriptedEngine } from "../support/scripted-engine.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { ordered, ownTemporaryFolder, tarLayer } from "./push-once-support.ts";

ownEnvironment();
afterAll(() => void vi.unstubAllEnvs());
ownTemporaryFolder();

const LAYER = tarLayer("engine", 300_000);
const IMAGE = ordered([LAYER], [0, "m"]);
/** Characters of what an engine says. */
const SHOWN = 600;
const images = new Map([["app:1", IMAGE]]);

async function started(script: Parameters<typeof ScriptedEngine.start>[0] = { images }): Promise<{
  readonly engine: ScriptedEngine;
  readonly registry: ScriptedRegistry;
}> {
  const [engine, registry] = await Promise.all([ScriptedEngine.start(script), ScriptedRegistry.start()]);
  vi.stubEnv("DOCKER_HOST", `unix://${engine.socket}`);
  vi.stubEnv("CONTAINER_HOST", `unix://${engine.socket}`);
  return { engine, registry };
}

describe("imgpack push docker://NAME", () => {
  test("push() sends the image that docker save gives, under its own name, in one pass", async () => {
    const { engine, registry } = await started();
    const notes: string[] = [];
    const result = await push(["docker://app:1"], {
      registry: registry.host,
      onProgress: event => event.kind === "note" && notes.push(event.message),
    });
    const reference = await push([await fileWith(IMAGE)], { to: `${registry.host}/file` });
    expect(result.images).toEqual([{ reference: `${registry.host}/app:1`, digest: reference.images[0]?.digest }]);
    expect(notes).toEqual([]);
    expect(engine.requests.filter(line => line.includes("/images/get"))).toEqual(["GET /images/get?names=app%3A1"]);
    expect(result.engines).toEqual([{ kind: "docker", version: "28.5.2", address: `unix://${engine.socket}` }]);
  });

  test.each([
    ["docker://app", "app:latest"],
    ["docker://app:1", "app:1"],
    ["docker://docker.io/library/app:1", "docker.io/library/app:1"],
    ["docker://0123456789ab", "0123456789ab"],
  ])("push() asks docker for %s as %s", async (name, asked) => {
    const { engine, registry } = await started({ images: new Map() });
    await expect(push([name], { tag: `${registry.host}/x:1` })).rejects.toThrow("no such image");
    expect(engine.requests[0]).toBe(`GET /images/${encodeURIComponent(asked)}/json`);
  });

  test("push() sends several images of an engine and files, each in one pass", async () => {
    const other = ordered([tarLayer("other")], [0, "m"], "other:2");
    const { registry } = await started({
      images: new Map([
        ["app:1", IMAGE],
        ["other:2", other],
      ]),
    });
    const notes: string[] = [];
    const file = await fileWith(dockerArchive({ tags: ["file:3"] }));
    const { images: pushed } = await push(["docker://app:1", file, "docker://other:2"], {
      registry: registry.host,
      onProgress: event => event.kind === "note" && notes.push(event.message),
    });
    expect(pushed.map(({ reference }) => reference)).toEqual(
      ["app:1", "file:3", "other:2"].map(name => `${registry.host}/${name}`),
    );
    expect(notes).toEqual([]);
  });

  test("an image that is missing does not stop the others, and has exit code 10", async () => {
    const { registry } = await started();
    const ended = await runCommand("push", "docker://nope:1", "docker://app:1", "--registry", registry.host, "--quiet");
    expect(ended.exitCode).toBe(10);
    expect(ended.stdout).toMatch(/\/app:1@sha256:/);
  });

  test("podman://NAME finds the image that podman has built under localhost", async () => {
    const { engine, registry } = await started({
      images: new Map([["localhost/app:1", ordered([LAYER], [0, "m"], "localhost/app:1")]]),
    });
    const { images: pushed } = await push(["podman://app:1"], { registry: registry.host });
    expect(pushed[0]?.reference).toBe(`${registry.host}/app:1`);
    expect(engine.requests).toContain("GET /v4.0.0/libpod/images/localhost%2Fapp%3A1/get?format=docker-archive");
  });

  test("inspect, verify and convert read an image of an engine as they read stdin", async () => {
    await started();
    const output = join(await temporaryFolder(), "out.tar");
    expect((await inspect("docker://app:1")).images[0]?.names).toEqual(["docker.io/library/app:1"]);
    expect((await verify("docker://app:1")).faults).toEqual([]);
    await convert("docker://app:1", { output });
    expect((await inspect(output)).images[0]?.names).toEqual(["docker.io/library/app:1"]);
  });
});

describe("imgpack push docker://NAME, when it fails", () => {
  const pushed = async (name: string, registry: ScriptedRegistry): ReturnType<typeof runCommand> =>
    await runCommand("push", name, "--registry", registry.host, "--quiet");

  function expectNoTag(registry: ScriptedRegistry): void {
    expect(registry.seen(/^PUT .*\/manifests\//)).toEqual([]);
  }

  test("an image that docker does not have names the nearest ones", async () => {
    const { engine, registry } = await started({
      images: new Map([
        ["app:1.4", IMAGE],
        ["apps:1.4", IMAGE],
        ["zebra:9", IMAGE],
      ]),
    });
    const ended = await pushed("docker://app:1.5", registry);
    expect(ended.exitCode).toBe(5);
    expect(said(ended, engine.socket)).toEqual([
      'Cannot read "app:1.5" from docker at unix://PATH: no such image, expected one that it has',
      'Names that it has: "app:1.4", "apps:1.4", "zebra:9".',
    ]);
    expect(registry.requests).toEqual([]);
  });

  test("a stream that is cut in the middle leaves no tag", async () => {
    const { engine, registry } = await started({ images, cutSaveAfter: 200_000 });
    const ended = await pushed("docker://app:1", registry);
    expect(ended.exitCode).toBe(7);
    expect(said(ended, engine.socket)[0]).toBe(
      'Cannot read "app:1" from docker at unix://PATH: the engine closed the connection, expected it to finish',
    );
    expectNoTag(registry);
  });

  test("an error that docker appends to the archive is the error of the push", async () => {
    const afterSave = '{"errorDetail":{"message":"no space\\u001b[31m"},"error":"no space\\u001b[31m left"}\r\n';
    const { engine, registry } = await started({ images, cutSaveAfter: 200_192, afterSave });
    const ended = await pushed("docker://app:1", registry);
    expect(ended.exitCode).toBe(8);
    expect(said(ended, engine.socket)[0]).toBe(
      'Cannot read "app:1" from docker at unix://PATH: the engine says "no space\\u{1b}[31m left", expected success',
    );
    expectNoTag(registry);
  });

  test.each([
    ["JSON", '{"message":"the daemon\\u0007 is ill"}', "the daemon\\u{7} is ill"],
    ["text", "bad gateway", "bad gateway"],
    ["nothing", "", "status 500"],
    ["a huge body", "x".repeat(1024 * 1024), `${"x".repeat(SHOWN)}…`],
  ])("status 500 with %s becomes an error with what docker says", async (_what, body, shown) => {
    const answers = [{ on: /^GET \/images\/get/, status: 500, body }];
    const { engine, registry } = await started({ images, answers });
    const ended = await pushed("docker://app:1", registry);
    expect(ended.exitCode).toBe(8);
    expect(said(ended, engine.socket)[0]).toBe(
      `Cannot read "app:1" from docker at unix://PATH: the engine says "${shown}", expected success`,
    );
    expectNoTag(registry);
  });

  test.each([
    ["no JSON", "<html>"],
    ["another document", "[]"],
  ])("an answer that is %s is refused", async (_what, body) => {
    const { registry } = await started({ images, answers: [{ on: /json$/, status: 200, body }] });
    expect((await pushed("docker://app:1", registry)).exitCode).toBe(8);
  });

  test("a socket that does not exist has exit code 7, and a hint", async () => {
    const { registry } = await started();
    const socket = join(await temporaryFolder(), "none.sock");
    vi.stubEnv("DOCKER_HOST", `unix://${socket}`);
    const ended = await pushed("docker://app:1", registry);
    expect(ended.exitCode).toBe(7);
    expect(said(ended, socket)).toEqual([
      "Cannot reach docker at unix://PATH: no such socket, expected a running engine",
      "Start docker, or set DOCKER_HOST to its socket.",
    ]);
  });

  test("a file that is no socket has exit code 7, and says so", async () => {
    const { registry } = await started();
    const file = await fileWith(Buffer.alloc(0), "stale.sock");
    vi.stubEnv("DOCKER_HOST", `unix://${file}`);
    const ended = await pushed("docker://app:1", registry);
    expect(ended.exitCode).toBe(7);
    expect(said(ended, file)[0]).toBe(
      "Cannot reach docker at unix://PATH: nothing listens there, or it is no socket, expected a running engine",
    );
  });

  test("a port beyond the last one is named", async () => {
    const { registry } = await started();
    vi.stubEnv("DOCKER_HOST", "tcp://127.0.0.1:99999");
    const ended = await pushed("docker://app:1", registry);
    expect(ended.exitCode).toBe(2);
    expect(said(ended)[0]).toContain("expected a port from 1 to 65535");
  });

  test.each(["/version", "/json", "/images/get"])("a silent %s ends by the time of --timeout", async path => {
    const { engine, registry } = await started({ images, silent: new RegExp(path) });
    const running = push(["docker://app:1"], { registry: { host: registry.host, retry: { timeoutMs: 50 } } });
    await expect(running).rejects.toMatchObject({
      code: "ERR_NETWORK",
      message: expect.stringContaining("the engine sent nothing for 0.05 seconds"),
    });
    expect(engine.requests.some(line => line.includes(path))).toBe(true);
    expectNoTag(registry);
  });

  test("another image than the one that was asked for gets no tag", async () => {
    const other = ordered([LAYER], [0, "m"], "hello:latest");
    const { registry } = await started({ images: new Map([["app:1", other]]) });
    const running = push(["docker://app:1"], { tag: `${registry.host}/a:1` });
    await expect(running).rejects.toMatchObject({
      code: "ERR_INTEGRITY",
      message: expect.stringContaining('sent "docker.io/library/hello:latest", expected "app:1"'),
    });
    expectNoTag(registry);
  });

  test("a list that cannot be read does not hide that the image is not there", async () => {
    const answers = [{ on: /images\/json$/, status: 200, body: "[[" }];
    const { engine, registry } = await started({ images, answers });
    const ended = await pushed("docker://nope:1", registry);
    expect(ended.exitCode).toBe(5);
    expect(said(ended, engine.socket)[1]).toBe("Look at its list: docker images.");
  });

  test("a server of another kind is not taken for one that does not run", async () => {
    const { registry } = await started();
    const socket = join(await temporaryFolder(), "ssh.sock");
    const server = createServer(
      connection =>
        void connection
          .on("error", () => undefined)
          .resume()
          .end("SSH-2.0-x\r\n"),
    );
    await new Promise<void>(resolve => server.listen(socket, resolve));
    onTestFinished(async () => void (await new Promise(resolve => server.close(resolve))));
    vi.stubEnv("DOCKER_HOST", `unix://${socket}`);
    const ended = await pushed("docker://app:1", registry);
    expect(ended.exitCode).toBe(8);
    expect(said(ended, socket)[0]).toContain("its answer is no HTTP");
  });

  test.skipIf(process.getuid?.() === 0)("a socket of another user names the group docker", async () => {
    const { engine, registry } = await started();
    chmodSync(engine.socket, 0);
    const ended = await pushed("docker://app:1", registry);
    expect(ended.exitCode).toBe(9);
    expect(said(ended)[1]).toMatch(/group docker/);
  });

  test("an engine that closes each connection at once has exit code 7", async () => {
    const { registry } = await started();
    const socket = join(await temporaryFolder(), "rude.sock");
    const server = createServer(connection => connection.destroy());
    await new Promise<void>(resolve => server.listen(socket, resolve));
    onTestFinished(async () => void (await new Promise(resolve => server.close(resolve))));
    vi.stubEnv("DOCKER_HOST", `unix://${socket}`);
    expect((await pushed("docker://app:1", registry)).exitCode).toBe(7);
  });

  test.each([
    ["docker://", 2],
    ["docker://-app", 2],
    ["docker://--help", 2],
    ["docker://app:1 other", 2],
    ["docker://../../version", 2],
    ["docker://app%2f..", 2],
    ["docker://App:1", 2],
    ["podman://$(id)", 2],
    ["containerd://--address=x", 2],
  ])("the name %s is refused before an engine is asked", async (name, exitCode) => {
    const { engine, registry } = await started();
    expect((await pushed(name, registry)).exitCode).toBe(exitCode);
    expect(engine.requests).toEqual([]);
  });

  test("an id needs --tag, and is refused before the archive is read", async () => {
    const { engine, registry } = await started({ images: new Map([["0123456789ab", IMAGE]]) });
    const ended = await pushed("docker://0123456789ab", registry);
    expect(ended.exitCode).toBe(2);
    expect(engine.requests.filter(line => line.includes("get?"))).toEqual([]);
    const { images: tagged } = await push(["docker://0123456789ab"], { tag: `${registry.host}/app:9` });
    expect(tagged[0]?.reference).toBe(`${registry.host}/app:9`);
  });

  test("several under one tag are refused before anything is sent", async () => {
    const { engine, registry } = await started();
    const ended = await runCommand("push", "docker://app:1", "docker://app:2", "--tag", `${registry.host}/x:1`);
    expect(ended.exitCode).toBe(2);
    expect(engine.requests).toEqual([]);
  });

  test("a name without a registry is refused before the archive is read", async () => {
    const { engine } = await started();
    const ended = await runCommand("push", "docker://app:1");
    expect(ended.exitCode).toBe(2);
    expect(engine.requests.filter(line => line.includes("get?"))).toEqual([]);
  });

  test("--shard is refused: each shard would read the archive for itself", async () => {
    const { registry } = await started();
    expect((await runCommand("push", "docker://app:1", "--registry", registry.host, "--shard", "0/2")).exitCode).toBe(
      2,
    );
  });

  test("serve, which reads at any place, refuses an image of an engine and says what to do", async () => {
    const ended = await runCommand("serve", "docker://app:1");
    expect(ended.exitCode).toBe(2);
    expect(said(ended)[1]).toBe("Write it to a file first: imgpack convert docker://app:1 app.tar.");
  });

  test("an aborted push ends at once, although the engine sends nothing more", async () => {
    const stop = new AbortController();
    const { registry } = await started({ images, answers: [] });
    const reason = new Error("enough");
    const running = push(["docker://app:1"], {
      registry: registry.host,
      signal: stop.signal,
      onProgress: event => event.kind === "reading" && stop.abort(reason),
    });
    await expect(running).rejects.toBe(reason);
    expectNoTag(registry);
  });
});
