import { describe, expect, test } from "vitest";
import { CANARIES, clientOf, expectNoCanary, READ, written } from "../support/canaries.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";

const auth = { scheme: "bearer", user: "ci", password: CANARIES.password } as const;
const login = { username: "ci", password: CANARIES.password };

describe("A-09 two registries and two identities in one process (CVE-2026-103868)", () => {
  test("A-09 a token of one registry is never sent to another that names the same service and scope", async () => {
    const [first, second] = [await ScriptedRegistry.start({ auth }), await ScriptedRegistry.start({ auth })];
    const digest = first.content.addBlob(Buffer.from("blob"));
    second.content.addBlob(Buffer.from("blob"));
    const clients = [await clientOf(first.host, login), await clientOf(second.host, login)];
    const url = `/v2/team/app/blobs/${digest}`;
    for (const client of clients) await client.call({ ...READ, url, accept: [200] });
    for (const client of clients) await client.call({ ...READ, url, accept: [200] });
    const bearers = [first, second].map(
      ({ requests }) => new Set(requests.flatMap(({ headers }) => headers.authorization?.match(/^Bearer .*/) ?? [])),
    );
    expect(bearers.map(set => set.size)).toEqual([1, 1]);
    expect(first.seen(/^GET \/token/)).toHaveLength(1);
    expect(second.seen(/^GET \/token/)).toHaveLength(1);
    // Sockets are not shared either: each server saw connections of its own only.
    expect(first.requests.every(({ headers }) => headers.host === first.host)).toBe(true);
    expect(second.requests.every(({ headers }) => headers.host === second.host)).toBe(true);
  });

  test("A-09 namespaces with logins of their own get tokens of their own", async () => {
    const registry = await ScriptedRegistry.start({ auth });
    const digest = registry.content.addBlob(Buffer.from("blob"));
    const pair = (secret: string): object => ({ auth: Buffer.from(`ci:${secret}`).toString("base64") });
    const env = {
      DOCKER_AUTH_CONFIG: JSON.stringify({
        auths: { [`${registry.host}/team`]: pair(CANARIES.password), [`${registry.host}/other`]: pair("wrong-one") },
      }),
    };
    const client = await clientOf(registry.host, { env });
    const read = async (repository: string): Promise<number> => {
      const call = { ...READ, repository, url: `/v2/${repository}/blobs/${digest}`, accept: [200] };
      return (await client.call(call)).status;
    };
    await expect(read("team/app")).resolves.toBe(200);
    await expect(read("other/app")).rejects.toMatchObject({ exitCode: 4 });
    await expect(read("nobody/app")).rejects.toMatchObject({ exitCode: 4 });
    const basics = registry
      .seen(/^GET \/token/)
      .map(({ path, headers }) => [
        new URL(path, registry.url).searchParams.get("scope"),
        headers.authorization === undefined ? "none" : Buffer.from(headers.authorization.slice(6), "base64").toString(),
      ]);
    expect(basics).toEqual([
      ["repository:team/app:pull", `ci:${CANARIES.password}`],
      ["repository:other/app:pull", "ci:wrong-one"],
      ["repository:nobody/app:pull", "none"],
    ]);
    expectNoCanary(written(registry.seen(/other|nobody/)));
  });
});
