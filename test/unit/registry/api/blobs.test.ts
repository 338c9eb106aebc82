import { describe, expect, onTestFinished, test } from "vitest";
import { blobSize, hasBlob } from "../../../../src/registry/api/blobs.ts";
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

describe("hasBlob()", () => {
  test.each([
    [200, true],
    [404, false],
    [403, false],
    [405, false],
  ])("hasBlob() reads status %i", async (status, isPresent) => {
    const headers = { "content-length": String(BYTES.length) };
    const { repository, digest } = await start({ on: /^HEAD /, reply: { status, headers } });
    expect(await hasBlob(repository, { digest, size: BYTES.length })).toBe(isPresent);
  });

  test("hasBlob() does not take a blob of another size for the one that is asked for", async () => {
    const { repository, digest } = await start({ on: /^POST /, reply: { status: 500 } });
    expect(await hasBlob(repository, { digest, size: BYTES.length })).toBe(true);
    expect(await hasBlob(repository, { digest, size: BYTES.length + 1 })).toBe(false);
  });

  test("hasBlob() asks a registry once that answers 401 to HEAD whatever the token, as ECR Public does", async () => {
    const isAuthorized: Fault["when"] = ({ headers }) => headers.authorization !== undefined;
    const head: Fault = { on: /^HEAD /, when: isAuthorized, reply: { status: 401 } };
    const { registry, repository, digest } = await start(head, AUTH);
    expect(await hasBlob(repository, { digest, size: BYTES.length })).toBe(false);
    expect(await hasBlob(repository, { digest, size: BYTES.length })).toBe(false);
    expect(registry.seen(/^HEAD /).filter(({ headers }) => headers.authorization !== undefined)).toHaveLength(1);
  });

  test("hasBlob() is an AuthError where the credentials are refused", async () => {
    const { repository, digest } = await start({ on: /^HEAD /, reply: { status: 401 } });
    await expect(hasBlob(repository, { digest, size: BYTES.length })).rejects.toMatchObject({ code: "ERR_AUTH" });
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
