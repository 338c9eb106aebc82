import { describe, expect, onTestFinished, test } from "vitest";
import { connectRegistry } from "../../../../src/registry/client/connect-registry.ts";
import { Repository, type RepositoryCall } from "../../../../src/registry/client/repository.ts";
import { type Fault, ScriptedRegistry } from "../../../support/scripted-registry.ts";

const CALL: RepositoryCall = { what: "thing", method: "GET", url: "things/1", accept: [200] };

type Open = (name: string, actions?: "pull,push") => Repository;

async function start(...faults: readonly Fault[]): Promise<{ registry: ScriptedRegistry; of: Open }> {
  const registry = await ScriptedRegistry.start({ faults });
  const client = await connectRegistry(registry.host, { env: {}, home: "/nonexistent", attempts: 1 });
  onTestFinished(async () => await client.transport[Symbol.asyncDispose]());
  return { registry, of: (name, actions) => new Repository(client, name, actions) };
}

describe("Repository", () => {
  test("Repository is `registry/name` in messages, and its requests are below its name", async () => {
    const { registry, of } = await start({ on: /things/, reply: { status: 418 } });
    const repository = of("team/app");
    expect(`${repository}`).toBe(`${registry.host}/team/app`);
    await expect(repository.call(CALL)).rejects.toThrow(`Cannot pull thing from ${registry.host}/team/app: status 418`);
    expect(registry.requests.map(({ path }) => path)).toEqual(["/v2/team/app/things/1"]);
  });

  test("Repository that is opened for pushing pushes, unless a call says otherwise", async () => {
    const { registry, of } = await start({ on: /things/, times: 2, reply: { status: 418 } });
    const repository = of("app", "pull,push");
    await expect(repository.call(CALL)).rejects.toThrow(`Cannot push thing to ${registry.host}/app:`);
    await expect(repository.call({ ...CALL, verb: "read" })).rejects.toThrow(
      `Cannot read thing from ${registry.host}/app:`,
    );
  });

  test("Repository without a name is the registry itself", async () => {
    const { registry, of } = await start({ on: /_catalog/, reply: { status: 200 } });
    expect(`${of("")}`).toBe(registry.host);
    await of("").call({ ...CALL, url: "_catalog" });
    expect(registry.requests.map(({ path }) => path)).toEqual(["/v2/_catalog"]);
  });

  test.each([
    [5, "hello"],
    [4, undefined],
  ])("Repository.readBody() takes at most %i bytes", async (maxBytes, text) => {
    const { of } = await start({ on: /things/, reply: { status: 200, body: Buffer.from("hello") } });
    const repository = of("app");
    const body = repository.readBody(await repository.open(CALL), CALL, maxBytes);
    if (text === undefined) await expect(body).rejects.toMatchObject({ code: "ERR_REGISTRY", exitCode: 8 });
    else expect(Buffer.from(await body).toString()).toBe(text);
  });
});
