import { describe, expect, onTestFinished, test } from "vitest";
import { blobSize, findBlob } from "../../../../src/registry/api/blobs.ts";
import { connectRegistry } from "../../../../src/registry/client/connect-registry.ts";
import { Repository } from "../../../../src/registry/client/repository.ts";
import { type Fault, ScriptedRegistry } from "../../../support/scripted-registry.ts";

const BYTES = Buffer.from("a blob");
const AUTH = { scheme: "bearer", user: "ci", password: "secret" } as const;

async function start(
  fault: Fault,
  auth?: typeof AUTH,
): Promise<{ registry: ScriptedRegistry; repository: Repository; digest: `sha256:${string}` }> {
  const registry = await ScriptedRegistry.start({ faults: [{ times: 99, ...fault }], ...(auth && { auth }) });
  const login = auth === undefined ? {} : { username: auth.user, password: auth.password };
  const client = await connectRegistry(registry.host, { env: {}, home: "/nonexistent", ...login });
  onTestFinished(async () => await client.transport[Symbol.asyncDispose]());
  const digest = registry.content.addBlob(BYTES) as `sha256:${string}`;
  return { registry, repository: new Repository(client, "app", "pull,push"), digest };
}

describe("findBlob()", () => {
  test.each([
    [200, "other-size"],
    [404, "absent"],
    [403, "absent"],
    [405, "absent"],
  ])("findBlob() reads status %i", async (status, found) => {
    const { repository, digest } = await start({ on: /^HEAD /, reply: { status } });
    expect(await findBlob(repository, { digest, size: BYTES.length })).toBe(found);
  });

  test.each([
    ["0", {}, "other-size"],
    ["5", {}, "other-size"],
    ["7", {}, "other-size"],
    ["6", {}, "present"],
    ["9", { "content-encoding": "gzip" }, "present"],
  ])("findBlob() compares Content-Length %s with the size", async (length, headers, found) => {
    const { repository, digest } = await start({
      on: /^HEAD /,
      reply: { status: 200, headers: { "content-length": length, ...headers } },
    });
    expect(await findBlob(repository, { digest, size: BYTES.length })).toBe(found);
  });

  test("findBlob() asks a registry once that answers 401 to HEAD whatever the token, as ECR Public does", async () => {
    const isAuthorized: Fault["when"] = ({ headers }) => headers.authorization !== undefined;
    const head: Fault = { on: /^HEAD /, when: isAuthorized, reply: { status: 401 } };
    const { registry, repository, digest } = await start(head, AUTH);
    expect(await findBlob(repository, { digest, size: BYTES.length })).toBe("absent");
    expect(await findBlob(repository, { digest, size: BYTES.length })).toBe("absent");
    expect(registry.seen(/^HEAD /).filter(({ headers }) => headers.authorization !== undefined)).toHaveLength(1);
  });

  test("findBlob() is an AuthError where the credentials are refused", async () => {
    const { repository, digest } = await start({ on: /^HEAD /, reply: { status: 401 } });
    await expect(findBlob(repository, { digest, size: BYTES.length })).rejects.toMatchObject({ code: "ERR_AUTH" });
  });
});

describe("blobSize()", () => {
  test.each<[string, Fault]>([
    ["answers 401 to HEAD", { on: /^HEAD /, reply: { status: 401 } }],
    ["answers 403 to HEAD", { on: /^HEAD /, reply: { status: 403 } }],
    ["answers 404 to HEAD", { on: /^HEAD /, reply: { status: 404 } }],
    ["answers 405 to HEAD", { on: /^HEAD /, reply: { status: 405 } }],
    ["answers 501 to HEAD", { on: /^HEAD /, reply: { status: 501 } }],
    ["names no length", { on: /^HEAD /, change: () => ({ headers: { "transfer-encoding": "chunked" } }) }],
    ["answers HEAD", { on: /^none/ }],
  ])("blobSize() is right where the registry %s", async (_what, fault) => {
    const { repository, digest } = await start(fault);
    expect(await blobSize(repository, digest)).toBe(BYTES.length);
  });

  test("blobSize() says so when the registry names no size at all", async () => {
    const nameless: Fault = { on: /./, change: () => ({ headers: { "transfer-encoding": "chunked" } }) };
    const { repository, digest } = await start(nameless);
    await expect(blobSize(repository, digest)).rejects.toThrow(": no size in the answer, expected Content-Length");
  });
});
