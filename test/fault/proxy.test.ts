import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { ImgpackError, pull, push } from "../../src/index.ts";
import { connectRegistry } from "../../src/registry/client/connect-registry.ts";
import type { Call, RegistryClient } from "../../src/registry/client/registry-client.ts";
import { ownEnvironment, runCommand } from "../support/command-line.ts";
import { dockerArchive, fileWith, seededBytes, storeImage, temporaryFolder } from "../support/images.ts";
import { waits } from "../support/instant-waits.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";
import { FaultProxy, type WireFault } from "./fault-proxy.ts";
import { always, BIG, BIG_BLOB, expectWhole, MANIFEST, pullCase, SMALL } from "./pull-support.ts";
import { expectStored, pushCase, SMALL_LAYER } from "./push-support.ts";

ownEnvironment();
beforeEach(() => {
  waits.length = 0;
});

const ask = (client: RegistryClient, name: string): Promise<unknown> =>
  client.call({
    verb: "read",
    what: name,
    repository: "app",
    actions: "pull",
    method: "GET",
    url: `/v2/app/manifests/${name}`,
    accept: [404],
  } satisfies Call);

describe("a registry that says when to come back", () => {
  test.each([429, 503])("pull() and push() let no request to it pass after a %i until then", async status => {
    const faults = [{ on: /first$/, reply: { status, headers: { "retry-after": "7" } } }];
    const registry = await ScriptedRegistry.start({ faults });
    let wake = (): void => undefined;
    const asleep = new Promise<void>(resolve => {
      wake = resolve;
    });
    let later: Promise<unknown> | undefined;
    const client = await connectRegistry(registry.host, {
      onRetry: () => {
        // The gate closes behind this event.
        void Promise.resolve().then(() => {
          later = ask(client, "second");
          wake();
        });
      },
    });
    await ask(client, "first");
    await asleep;
    await later;
    expect(registry.requests.map(({ path }) => path.replace(/^.*\//, ""))).toEqual(["first", "first", "second"]);
    expect(waits).toEqual([7000]);
    await client.transport[Symbol.asyncDispose]();
  });
});

describe("patience and pace", () => {
  test("pull() tries as often as it is told", async () => {
    const faults = [always({ on: MANIFEST, reply: { status: 500 } })];
    const once = await pullCase({ faults, options: { registry: { retry: { count: 0 } } } });
    expect(once.error).toMatchObject({ code: "ERR_REGISTRY", status: 500 });
    expect(once.registry.seen(MANIFEST)).toHaveLength(1);
    const often = await pullCase({
      faults: [{ on: MANIFEST, times: 7, reply: { status: 500 } }],
      options: { registry: { retry: { count: 7 } } },
    });
    await expectWhole(often);
    expect(often.registry.seen(MANIFEST)).toHaveLength(8);
  });

  test("pull() and push() move all bodies together no faster than told", async () => {
    const rate = { limitRate: 50 * 1024 };
    /** What is owed at the end: all of it, except for a burst and the time that has passed. */
    const owedMs = (bytes: number, started: number): number =>
      (bytes / rate.limitRate - 2) * 1000 - (performance.now() - started);
    let started = performance.now();
    await expectWhole(await pullCase({ layers: [BIG, SMALL], options: { registry: rate } }));
    expect(Math.max(...waits)).toBeGreaterThan(owedMs(BIG.length + SMALL.length, started));
    waits.length = 0;
    const layers = [SMALL_LAYER, seededBytes("not to be compressed", 2_000_000)];
    started = performance.now();
    expectStored(await pushCase({ layers, options: { registry: rate } }), layers);
    expect(Math.max(...waits)).toBeGreaterThan(owedMs(2_000_000, started));
  });

  test.each<WireFault>([
    { way: "down", at: 1_500_000, kind: "stall" },
    { way: "down", at: 1_500_000, kind: "reset" },
    { way: "down", at: 1_500_000, kind: "end" },
  ])("pull() goes on after a $kind of the line", async fault => {
    const registry = await ScriptedRegistry.start();
    storeImage(registry.content, [BIG]);
    const faults: (WireFault | undefined)[] = [undefined, fault, { ...fault, at: 600_000 }];
    const proxy = await FaultProxy.start(registry.host, () => faults.shift());
    const output = join(await temporaryFolder(), "out.tar");
    // Looking for referrers would take a connection of its own.
    await pull([`${proxy.host}/app:1`], { output, platform: ["linux/amd64"], referrers: false });
    await proxy.close();
    expect((await readFile(output)).includes(BIG)).toBe(true);
    expect(registry.seen(BIG_BLOB).length).toBeGreaterThan(1);
    // What the system had not handed over yet is lost with a reset.
    if (fault.kind === "reset") return;
    expect(registry.seen(BIG_BLOB).at(-1)?.headers.range).toMatch(/^bytes=[1-9]\d*-/);
  });
});

describe("one of several images that fails", () => {
  const layer = Buffer.from(tarArchive([tarEntry({ name: "hello", body: "hello\n" })]));

  test("push() finishes the other repositories of the archive, and names the archive as not done", async () => {
    const path = await fileWith(dockerArchive({ tags: ["one:1", "two:1", "three:1"], layers: [layer] }));
    const registry = await ScriptedRegistry.start({ faults: [always({ on: /\/v2\/two\//, reply: { status: 403 } })] });
    const error = await push([path], { registry: registry.host }).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: "ERR_PARTIAL", exitCode: 10, failed: [path] });
    expect([...registry.content.manifests.keys()].filter(name => !name.startsWith("sha256:")).sort()).toEqual([
      "one:1",
      "three:1",
    ]);
  });

  test("push() throws what failed when all of them do", async () => {
    const path = await fileWith(dockerArchive({ tags: ["one:1", "two:1"], layers: [layer] }));
    const registry = await ScriptedRegistry.start({ faults: [always({ on: /\/v2\//, reply: { status: 403 } })] });
    await expect(push([path], { registry: registry.host })).rejects.toMatchObject({ code: "ERR_AUTH" });
  });

  test("pull() with keepGoing writes the others, and names those that are missing", async () => {
    const registry = await ScriptedRegistry.start();
    storeImage(registry.content, [SMALL]);
    const references = [`${registry.host}/app:gone`, `${registry.host}/app:1`];
    const output = join(await temporaryFolder(), "out.tar");
    const options = { output, platform: "linux/amd64" };
    await expect(pull(references, options)).rejects.toMatchObject({ code: "ERR_NOT_FOUND" });
    const error = await pull(references, { ...options, keepGoing: true }).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: "ERR_PARTIAL", exitCode: 10, failed: [`${registry.host}/app:gone`] });
    expect((await readFile(output)).includes(SMALL)).toBe(true);
    const nothing = await pull(references.slice(0, 1), { ...options, keepGoing: true }).catch(
      (cause: unknown) => cause,
    );
    expect(nothing).toBeInstanceOf(ImgpackError);
    expect(nothing).toMatchObject({ code: "ERR_NOT_FOUND" });
  });

  test("push --failed-list writes what --from-file reads", async () => {
    const registry = await ScriptedRegistry.start();
    const good = await fileWith(dockerArchive({ tags: ["good:1"], layers: [layer] }), "good.tar");
    const folder = await temporaryFolder();
    const bad = join(folder, "bad.tar");
    const [list, left, none] = [join(folder, "list"), join(folder, "left"), join(folder, "none")];
    await writeFile(list, `# two archives\n\n${good}\n${bad}\n`);
    const flags = ["--registry", registry.host, "--from-file"];
    expect((await runCommand("push", ...flags, list, "--failed-list", left)).exitCode).toBe(10);
    expect(await readFile(left, "utf8")).toBe(`${bad}\n`);
    await writeFile(bad, dockerArchive({ tags: ["bad:1"], layers: [layer] }));
    expect((await runCommand("push", ...flags, left, "--failed-list", none)).exitCode).toBe(0);
    expect(await readFile(none, "utf8")).toBe("");
    expect(registry.content.manifests.has("bad:1")).toBe(true);
  });

  test.each([
    [["--retry", "-1"], "--retry"],
    [["--timeout", "0"], "--timeout"],
    [["--limit-rate", "fast"], "--limit-rate"],
    [["--limit-rate", "1"], "--limit-rate"],
    [["--min-rate", "slow"], "--min-rate"],
  ])("push refuses %j", async (flags, flag) => {
    const { exitCode, stderr } = await runCommand("push", "a.tar", "--registry", "127.0.0.1:1", ...flags);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`Cannot use ${flag}: found`);
  });
});
