// A host of the years before v2 answers 404 to everything: the hint says how to reach it, for one request more.
import { expect, it } from "vitest";
import { NotFoundError } from "../../../../src/errors.ts";
import { explainMissing } from "../../../../src/registry/api/explain-missing.ts";
import { getManifest } from "../../../../src/registry/api/get-manifest.ts";
import { greetRegistry } from "../../../../src/registry/api/ping.ts";
import type { RegistryClient } from "../../../../src/registry/client/registry-client.ts";
import { Repository } from "../../../../src/registry/client/repository.ts";
import { CANARIES, clientOf, expectNoCanary, failureOf } from "../../../support/canaries.ts";
import { ScriptedRegistry } from "../../../support/scripted-registry.ts";
import { V1Registry } from "../../../support/v1/v1-registry.ts";

async function pullFailure(client: RegistryClient, tag: string): Promise<Error> {
  const repository = new Repository(client, "team/app");
  return await failureOf(explainMissing(repository, { tag }, async () => await getManifest(repository, tag, {})));
}

it.each([
  ["JSON", undefined],
  ["a page", { "content-type": "text/html" }],
])("a host that speaks v1 only, and says so in %s, is asked once for all images of a run", async (_name, headers) => {
  const server = await V1Registry.start();
  const body = Buffer.from("<!DOCTYPE html><title>404 Not Found</title>");
  if (headers !== undefined)
    server.addFault({ on: /\/v2\//, times: Number.POSITIVE_INFINITY, reply: { status: 404, headers, body } });
  const client = await clientOf(server.host, { username: "me", password: CANARIES.password });
  const greeting = await failureOf(greetRegistry(client));
  expect(greeting).toBeInstanceOf(NotFoundError);
  expect(greeting).toMatchObject({ hint: `${server.host} speaks v1: write v1://${server.host}.` });
  for (const tag of ["1.0", "2.0"]) {
    const error = await pullFailure(client, tag);
    expect(error).toMatchObject({ hint: `${server.host} speaks v1: write v1://${server.host}/team/app:${tag}.` });
  }
  const pings = server.seen(/\/v1\//);
  expect(pings.map(({ method, path }) => `${method} ${path}`)).toEqual(["GET /v1/_ping"]);
  expectNoCanary(pings.map(request => request.headers));
});

it("a v2 registry that lacks an image is not asked for v1, and a page at /v1/_ping is no v1 registry", async () => {
  const server = await ScriptedRegistry.start();
  expect(await pullFailure(await clientOf(server.host), "1.0")).not.toHaveProperty(
    "hint",
    expect.stringMatching("v1:"),
  );
  expect(server.seen(/v1/)).toEqual([]);
  const headers = { "content-type": "text/html" };
  const page = { status: 404, headers, body: Buffer.from("<html>no</html>") };
  const other = await ScriptedRegistry.start({
    faults: [
      { on: /\/v2\//, times: 9, reply: page },
      { on: /\/v1\//, times: 9, reply: { ...page, status: 200 } },
    ],
  });
  const error = await failureOf(greetRegistry(await clientOf(other.host)));
  expect(error).toMatchObject({ hint: expect.stringContaining("web page") });
});
