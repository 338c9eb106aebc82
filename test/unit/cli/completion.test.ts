import { describe, expect, onTestFinished, test, vi } from "vitest";
import { complete } from "../../../src/cli/completion/completion.ts";
import { ScriptedRegistry } from "../../support/scripted-registry.ts";
import { fillImage } from "../../support/v1/fill-v1.ts";
import { V1Registry } from "../../support/v1/v1-registry.ts";
import { startListed } from "../verbs/query/listed-registry.ts";

const OTHERS = ["tags", "--json"];

async function completed(current: string, ...words: readonly string[]): Promise<readonly string[]> {
  return await completedWith({}, current, ...words);
}

async function completedWith(
  given: Readonly<Record<string, unknown>>,
  current: string,
  ...words: readonly string[]
): Promise<readonly string[]> {
  const flags = { ...given, _: ["imgpack", ...words, current] };
  return await new Promise(resolve => {
    complete(current, flags, onListed => onListed(null, OTHERS), resolve);
  });
}

describe("complete()", () => {
  test("complete() offers the tags of a repository behind its colon", async () => {
    const registry = await startListed(["1.0", "latest"]);
    const repository = `${registry.host}/app`;
    expect(await completed(`${repository}:`, "pull")).toEqual([`${repository}:1.0`, `${repository}:latest`]);
    expect(await completed(`${repository}:la`, "copy", "x")).toEqual([`${repository}:1.0`, `${repository}:latest`]);
  });

  test("complete() offers the tags of a v1 repository, below --v1-path, and asks about no host alone", async () => {
    const registry = await V1Registry.start({ isReadOnly: true, path: "/old" });
    for (const tag of ["1.0", "2.0"]) fillImage(registry.content, "team/App", tag);
    const repository = `v1://${registry.host}/team/App`;
    const v1Path = { v1Path: "/old" };
    expect(await completedWith(v1Path, `${repository}:`, "pull")).toEqual([`${repository}:1.0`, `${repository}:2.0`]);
    registry.requests.length = 0;
    for (const current of ["v1:", "v1://", `v1://${registry.host}`, "v1://old.lan:"])
      expect(await completedWith(v1Path, current, "pull")).toEqual(OTHERS);
    expect(registry.requests).toEqual([]);
  });

  test("complete() asks no registry for other words", async () => {
    const registry = await startListed(["1.0"]);
    const repository = `${registry.host}/app`;
    for (const [current, verb] of [
      ["", "pull"],
      [repository, "pull"],
      [`${registry.host}`, "pull"],
      [`${repository}@sha256:`, "pull"],
      [`${repository}:`, "push"],
      [`./archive:`, "verify"],
    ] as const) {
      expect(await completed(current, verb)).toEqual(OTHERS);
    }
    expect(registry.requests).toHaveLength(0);
  });

  test("complete() is quiet where the registry does not answer, or not to us", async () => {
    const closed = await ScriptedRegistry.start({ auth: { scheme: "basic", user: "ci", password: "secret" } });
    expect(await completed(`${closed.host}/app:`, "pull")).toEqual([]);
    await closed.close();
    expect(await completed(`${closed.host}/app:`, "pull")).toEqual([]);
    expect(await completed("not a/reference:", "pull")).toEqual([]);
  });

  test("complete() gives up on a registry that never ends its answer", async () => {
    const deadline = new AbortController();
    const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValue(deadline.signal);
    onTestFinished(() => void vi.restoreAllMocks());
    const never = new Promise<void>(() => undefined);
    const body = Buffer.from("{}");
    const registry = await ScriptedRegistry.start({
      faults: [
        {
          on: /tags/,
          reply: { status: 200, body },
          stall: { after: 1, until: never },
          onRequest: () => deadline.abort(),
        },
      ],
    });
    expect(await completed(`${registry.host}/app:`, "pull")).toEqual([]);
    expect(timeout).toHaveBeenCalledWith(5000);
  });
});
