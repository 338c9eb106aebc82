import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bytesBlob } from "../../src/content/blob.ts";
import { AuthError, UsageError } from "../../src/errors.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { Repository } from "../../src/registry/client/repository.ts";
import { readDockerConfig } from "../../src/registry/credentials/docker-config.ts";
import type { RetryEvent } from "../../src/registry/http/retry.ts";
import { upload } from "../../src/registry/upload/upload.ts";
import { blobBody } from "../../src/registry/upload/upload-body.ts";
import { CANARIES, clientOf, expectNoCanary, failureOf, READ, written, writtenError } from "../support/canaries.ts";
import { temporaryFolder } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";

const AUTH = Buffer.from(`ci:${CANARIES.password}`).toString("base64");

describe("A-16 secrets in what is written down (CVE-2019-11250, CVE-2020-8564)", () => {
  test.each([
    ["a cut file", `{"auths":{"r.lan":{"auth":"${AUTH}`],
    ["a stray word", `{"auths":{"r.lan":{"auth":"${AUTH}"}} ${CANARIES.password}`],
    ["a number for a secret", `{"auths":{"r.lan":{"auth":["${AUTH}"]}}}`],
    ["a list of entries", `{"auths":["${CANARIES.password}"]}`],
    ["a repeated key", `{"auths":{"r.lan":{"auth":"${AUTH}","auth":"${AUTH}"}}}`],
    ["a helper that is no name", `{"credHelpers":{"r.lan":{"${CANARIES.helper}":1}}}`],
    ["no JSON at all", CANARIES.password],
  ])("A-16 a broken config.json is refused by position, never by content: %s", async (_what, text) => {
    const file = join(await temporaryFolder(), "config.json");
    await writeFile(file, text);
    const fromFile = await failureOf(readDockerConfig(file));
    expect(fromFile).toBeInstanceOf(AuthError);
    const env = { DOCKER_AUTH_CONFIG: text };
    const client = await clientOf("127.0.0.1:1", { env });
    const fromEnv = await failureOf(client.open({ ...READ, url: "/v2/", accept: [200] }));
    expect(fromEnv.message).toContain('"DOCKER_AUTH_CONFIG"');
    expectNoCanary(writtenError(fromFile), writtenError(fromEnv));
  });

  test("A-16 a signed URL is not quoted when what it leads to fails", async () => {
    const storage = await ScriptedRegistry.start({ faults: [{ on: /./, times: 9, reply: { status: 403 } }] });
    const query = `X-Amz-Signature=${CANARIES.bearer}&sig=${CANARIES.refresh}&other=${CANARIES.helper}`;
    const location = `${storage.url}/blob?${query}`;
    const registry = await ScriptedRegistry.start({
      faults: [{ on: /blobs/, times: 9, reply: { status: 307, headers: { location } } }],
    });
    const client = await clientOf(registry.host);
    const call = { ...READ, url: "/v2/team/app/blobs/x", accept: [200] };
    const refused = await failureOf(client.open(call));
    await storage.close();
    const unreachable = await failureOf(client.open(call));
    expectNoCanary(writtenError(refused), writtenError(unreachable));
    expect(refused.message).toContain(storage.host);
  });

  test.each([
    ["without IMGPACK_REGISTRY", { IMGPACK_USERNAME: "ci", IMGPACK_PASSWORD: CANARIES.password }],
    ["half a pair", { IMGPACK_REGISTRY: "127.0.0.1:1", IMGPACK_PASSWORD: CANARIES.password }],
    [
      "a token beside a pair",
      { IMGPACK_REGISTRY: "127.0.0.1:1", IMGPACK_USERNAME: "ci", IMGPACK_TOKEN: CANARIES.bearer },
    ],
    ["a token with a line end", { IMGPACK_REGISTRY: "127.0.0.1:1", IMGPACK_TOKEN: `${CANARIES.bearer}\r\nx: y` }],
  ])("A-16 credentials of the environment %s are refused without their text", async (_what, env) => {
    const error = await failureOf(clientOf("127.0.0.1:1", { env }));
    expect(error).toBeInstanceOf(UsageError);
    expectNoCanary(writtenError(error));
  });

  test("A-16 credentials of the environment go to the registry that it names, and to no other", async () => {
    const auth = { scheme: "basic", user: "ci", password: CANARIES.password } as const;
    const [own, other] = [await ScriptedRegistry.start({ auth }), await ScriptedRegistry.start({ auth })];
    const digest = own.content.addBlob(Buffer.from("blob"));
    const env = {
      IMGPACK_REGISTRY: `${own.host}/mirror`,
      IMGPACK_USERNAME: "ci",
      IMGPACK_PASSWORD: CANARIES.password,
    };
    const call = { ...READ, url: `/v2/team/app/blobs/${digest}`, accept: [200] };
    await (await clientOf(own.host, { env })).call(call);
    const refused = await failureOf((await clientOf(other.host, { env })).call(call));
    expect(refused).toBeInstanceOf(AuthError);
    expect(own.requests).toHaveLength(2);
    expectNoCanary(written(other.requests));
  });
});

describe("A-17 upload sessions (CVE-2026-32589)", () => {
  test("A-17 the URL of an upload session stands in no error and no event", async () => {
    const location = `/v2/team/app/blobs/uploads/${CANARIES.bearer}?_state=${CANARIES.refresh}`;
    const registry = await ScriptedRegistry.start({
      faults: [
        { on: /^HEAD/, times: 9, reply: { status: 404 } },
        { on: /^POST/, times: 9, reply: { status: 202, headers: { location } } },
        { on: /^(PUT|PATCH|GET)/, times: 99, reply: { status: 400 } },
      ],
    });
    const events: string[] = [];
    const client = await clientOf(registry.host, {
      onRetry: (event: RetryEvent, what: string) => void events.push(`${what} ${writtenError(event.error)}`),
    });
    const bytes = Buffer.from("layer");
    const digest = sha256(bytes) as Digest;
    const descriptor = { mediaType: "application/octet-stream", digest, size: bytes.length };
    const repository = new Repository(client, "team/app", "pull,push");
    const error = await failureOf(upload(repository, blobBody(descriptor, bytesBlob(bytes))));
    expect(registry.seen(/^PUT .*canary/).length).toBeGreaterThan(0);
    expectNoCanary(writtenError(error), ...events);
  });
});
