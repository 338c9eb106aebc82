import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { pull, push } from "../../src/index.ts";
import { connectV1 } from "../../src/registry/v1/connect-v1.ts";
import { pingV1 } from "../../src/registry/v1/store/ping-v1.ts";
import { deleteV1Tag } from "../../src/registry/v1/writing/delete-v1-tag.ts";
import { tagV1 } from "../../src/registry/v1/writing/tag-v1.ts";
import { listImages, setImages } from "../../src/verbs/v1/hub/hub-images.ts";
import { hubLogin } from "../../src/verbs/v1/hub/hub-login.ts";
import { createRepository, deleteRepository } from "../../src/verbs/v1/hub/hub-repositories.ts";
import { searchIndex } from "../../src/verbs/v1/hub/hub-search.ts";
import { authorizeToken, readToken } from "../../src/verbs/v1/hub/hub-tokens.ts";
import { createUser, updateUser } from "../../src/verbs/v1/hub/hub-users.ts";
import { CANARIES, expectNoCanary } from "../support/canaries.ts";
import { ownEnvironment } from "../support/command-line.ts";
import { dockerArchive } from "../support/images.ts";
import { fillImage, idOf } from "../support/v1/fill-v1.ts";
import { V1Registry } from "../support/v1/v1-registry.ts";
import { V1Users } from "../support/v1/v1-users.ts";

const folder = ownEnvironment();
const text = readFileSync(join(import.meta.dirname, "../../docs/LEGACY.md"), "utf8");
const ROWS = [...text.matchAll(/^\| `((?:GET|PUT|POST|DELETE) \/v1\/[^`]+)` \| `([^`]+)` \|$/gm)].map(
  ([, endpoint = "", command = ""]) => [endpoint, command] as const,
);

/** An endpoint as the table writes it. */
function pattern(endpoint: string): RegExp {
  const path = endpoint
    .replace("NS/REPO", "team/app")
    .replace(/\bREPO\b/, "base")
    .replace("NAME", "adam")
    .replace("TAG", "[^/]+")
    .replace("ID", "[0-9a-f]{64}");
  return new RegExp(`^${path}(?:\\?.*)?$`);
}

/** What each command requests, without its query. */
const requested = new Map<string, readonly string[]>();
let written = "";

beforeAll(async () => {
  const { password } = CANARIES;
  const { registry, close } = await V1Registry.open({ manner: "0.9", user: { name: "adam", password } });
  const users = new V1Users();
  users.add("adam", password);
  registry.routes.registry.unshift((...request) => users.route(...request));
  fillImage(registry.content, "team/app", "1");
  const archive = join(folder, "image.tar");
  writeFileSync(archive, dockerArchive());
  const index = `v1://${registry.host}`;
  const auth = { username: "adam", password };
  const login = { registry: { auth, retry: { count: 0 } } };
  const client = await connectV1(registry.host, auth);
  const app = { namespace: "team", name: "app" };
  const yes = async (): Promise<boolean> => await Promise.resolve(true);
  const both = async (task: (repository: string) => Promise<unknown>): Promise<void> => {
    for (const name of ["team/app", "base"]) await task(`${index}/${name}`);
  };
  const runs: readonly (readonly [string, () => Promise<unknown>])[] = [
    ["ping", async () => await pingV1(client)],
    ["pull", async () => await pull([`${index}/team/app:*`], { ...login, output: join(folder, "glob.tar") })],
    ["pull", async () => await pull([`${index}/team/app:1`], { ...login, output: join(folder, "one.tar") })],
    ["push", async () => await push([archive], { ...login, tag: `${index}/team/new:1` })],
    ["tag", async () => await tagV1(client, app, "1", ["2"], () => undefined)],
    ["delete", async () => await deleteV1Tag(client, app, "2")],
    ["hub login", async () => await hubLogin(index, { ...login, ...auth })],
    ["hub user create", async () => await createUser("evas", { ...login, host: index, password, email: "a@b" })],
    ["hub user update", async () => await updateUser("adam", { ...login, host: index, password })],
    ["hub search", async () => await searchIndex("app", { ...login, host: index })],
    ["hub repo create", async () => await both(async name => await createRepository(name, login))],
    ["hub images", async () => await both(async name => await listImages(name, login))],
    ["hub images --set", async () => await both(async name => await setImages(name, `[{"id":"${idOf("a")}"}]`, login))],
    [
      "hub auth",
      async () =>
        await both(async name => {
          const { token = "" } = (await readToken(name, { ...login, access: "read", confirm: yes })) ?? {};
          // A registry without an index has no such request.
          await authorizeToken(name, { ...login, token }).catch(() => undefined);
        }),
    ],
    ["hub repo delete", async () => await both(async name => await deleteRepository(name, { ...login, confirm: yes }))],
  ];
  for (const [command, run] of runs) {
    registry.requests.length = 0;
    await run();
    requested.set(command, [...(requested.get(command) ?? []), ...registry.lines]);
    // No password is in what was sent but in Basic, and in the JSON of an account.
    const others = registry.requests.filter(({ path }) => !path.startsWith("/v1/users"));
    written += others.map(({ path, body }) => `${path}\n${body.toString("latin1")}`).join("\n");
  }
  await client[Symbol.asyncDispose]();
  await close();
});

describe("docs/LEGACY.md", () => {
  test("docs/LEGACY.md lists the endpoints of both APIs", () => {
    expect(ROWS).toHaveLength(25);
    expect(new Set(ROWS.map(([endpoint]) => endpoint)).size).toBe(25);
  });

  test.each(ROWS)("docs/LEGACY.md: %s is requested by imgpack %s", (endpoint, command) => {
    expect(requested.get(command)).toEqual(expect.arrayContaining([expect.stringMatching(pattern(endpoint))]));
  });

  test("no password is in an address or a body, except that of an account", () => {
    expect(written).not.toBe("");
    expectNoCanary(written);
  });
});
