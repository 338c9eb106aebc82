import { describe, expect, test } from "vitest";
import { AuthError } from "../../src/errors.ts";
import { CANARIES, clientOf, expectNoCanary, failureOf, READ, written, writtenError } from "../support/canaries.ts";
import { json, ScriptedRegistry } from "../support/scripted-registry.ts";

function challenge(realm: string, service: string): Record<string, string> {
  return { "www-authenticate": `Bearer realm="${realm}",service="${service}"` };
}

/** A registry that demands a token: for team/app with the first challenge, for b with the second. */
async function registryWith(...challenges: readonly Record<string, string>[]): Promise<ScriptedRegistry> {
  const paths = [/team\/app\/blobs/, /\/b\/blobs/];
  const faults = challenges.map((headers, place) => ({ on: paths[place] ?? /./, reply: { status: 401, headers } }));
  return await ScriptedRegistry.start({ faults });
}

function envWith(registry: ScriptedRegistry, entry: object): NodeJS.ProcessEnv {
  return { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [registry.host]: entry } }) };
}

describe("A-23 an identity token belongs to the realm that issued it (GHSA-28r5-37g7-p6mp)", () => {
  test("A-23 goes by POST to its token server, in the body alone", async () => {
    const tokens = await ScriptedRegistry.start({
      faults: [{ on: /token/, reply: json(200, { access_token: CANARIES.bearer, refresh_token: "new" }) }],
    });
    const registry = await registryWith(challenge(`${tokens.url}/token`, "reg"));
    const digest = registry.content.addBlob(Buffer.from("blob"));
    const client = await clientOf(registry.host, { env: envWith(registry, { identitytoken: CANARIES.refresh }) });
    await client.call({ ...READ, url: `/v2/team/app/blobs/${digest}`, accept: [200] });
    const [request] = tokens.requests;
    expect(`${request?.method} ${request?.path}`).toBe("POST /token");
    expect(Object.fromEntries(new URLSearchParams(request?.body.toString()))).toEqual({
      grant_type: "refresh_token",
      service: "reg",
      client_id: "imgpack",
      scope: "repository:team/app:pull",
      refresh_token: CANARIES.refresh,
    });
    expectNoCanary(JSON.stringify(request?.headers));
    expect(written(registry.requests)).not.toContain(CANARIES.refresh);
  });

  test.each([
    ["another server", (old: string, other: string) => [`${old}/token`, `${other}/token`, "reg", "reg"]],
    ["another service of the same server", (old: string) => [`${old}/token`, `${old}/token`, "reg", "evil"]],
  ])("A-23 does not go to %s when the registry names that later", async (_what, realms) => {
    const token = { on: /token/, times: 9, reply: json(200, { access_token: CANARIES.bearer }) };
    const tokens = await ScriptedRegistry.start({ faults: [token] });
    const other = await ScriptedRegistry.start({ faults: [token] });
    const [first = "", second = "", service = "", otherService = ""] = realms(tokens.url, other.url);
    const registry = await registryWith(challenge(first, service), challenge(second, otherService));
    const digest = registry.content.addBlob(Buffer.from("blob"));
    const client = await clientOf(registry.host, { env: envWith(registry, { identitytoken: CANARIES.refresh }) });
    const call = { ...READ, url: `/v2/team/app/blobs/${digest}`, accept: [200] };
    await client.call(call);
    const moved = { ...call, repository: "b", url: `/v2/b/blobs/${digest}` };
    const error = await failureOf(client.call(moved));
    expect(error).toBeInstanceOf(AuthError);
    expect(error.message).toContain("token server moved to");
    expectNoCanary(writtenError(error));
    expect(other.requests).toEqual([]);
    expect(tokens.requests).toHaveLength(1);
  });

  test("A-23 a registry token goes to its registry alone, and no token server is asked", async () => {
    const tokens = await ScriptedRegistry.start();
    const registry = await registryWith(challenge(`${tokens.url}/token`, "reg"));
    const digest = registry.content.addBlob(Buffer.from("blob"));
    const client = await clientOf(registry.host, { env: envWith(registry, { registrytoken: CANARIES.bearer }) });
    await client.call({ ...READ, url: `/v2/team/app/blobs/${digest}`, accept: [200] });
    expect(registry.requests.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      `Bearer ${CANARIES.bearer}`,
    ]);
    expect(tokens.requests).toEqual([]);
  });

  test("A-23 a registry token that is refused is not sent twice, and no password follows it", async () => {
    const registry = await ScriptedRegistry.start({
      faults: [
        { on: /blobs/, times: 9, reply: { status: 401, headers: challenge("https://auth.example/token", "r") } },
      ],
    });
    const client = await clientOf(registry.host, { token: CANARIES.bearer });
    const error = await failureOf(client.call({ ...READ, url: "/v2/team/app/blobs/x", accept: [200] }));
    expect(error).toBeInstanceOf(AuthError);
    expect(registry.requests).toHaveLength(2);
    expectNoCanary(writtenError(error));
    expect(writtenError(error)).toContain("--token-stdin");
  });
});
