import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AuthError, ImgpackError, NotFoundError, RegistryError, UsageError } from "../../../../../src/errors.ts";
import { parseHubRepository } from "../../../../../src/verbs/v1/hub/hub-connection.ts";
import { listImages, setImages } from "../../../../../src/verbs/v1/hub/hub-images.ts";
import { hubLogin } from "../../../../../src/verbs/v1/hub/hub-login.ts";
import { createRepository, deleteRepository } from "../../../../../src/verbs/v1/hub/hub-repositories.ts";
import { searchIndex } from "../../../../../src/verbs/v1/hub/hub-search.ts";
import { authorizeToken, readToken } from "../../../../../src/verbs/v1/hub/hub-tokens.ts";
import { createUser, updateUser } from "../../../../../src/verbs/v1/hub/hub-users.ts";
import { CANARIES, expectNoCanary, failureOf, writtenError } from "../../../../support/canaries.ts";
import { ownEnvironment } from "../../../../support/command-line.ts";
import { V1Registry } from "../../../../support/v1/v1-registry.ts";
import { V1Users } from "../../../../support/v1/v1-users.ts";

const folder = ownEnvironment();
const { password } = CANARIES;
const login = { registry: { auth: { username: "adam", password }, retry: { count: 0 } } };
const anyone = { registry: { retry: { count: 0 } } };
const ID = "ab".repeat(32);

let users = new V1Users();
let hub: V1Registry;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ registry: hub, close } = await V1Registry.open({ hasIndex: true, user: { name: "adam", password } }));
  hub.routes.index.unshift((...request) => users.route(...request));
});

afterAll(async () => await close());

beforeEach(() => {
  users = new V1Users();
  users.add("adam", password);
  hub.options = { hasIndex: true, user: { name: "adam", password } };
  hub.requests.length = 0;
  hub.content.repositories.clear();
});

const index = (): string => `v1://${hub.host}`;
/** Lines of the index, without what the endpoint got. */
const asked = (): readonly string[] =>
  hub.requests.filter(({ server }) => server === "index").map(({ method, path }) => `${method} ${path}`);

describe("hub login", () => {
  test("hub login stores the password under https://HOST/v1/, as docker did", async () => {
    await expect(hubLogin(index(), { ...anyone, username: "adam", password })).resolves.toMatchObject({
      registry: index(),
      isChecked: true,
    });
    const file: unknown = JSON.parse(await readFile(join(folder, "DOCKER_CONFIG", "config.json"), "utf8"));
    const auth = Buffer.from(`adam:${password}`).toString("base64");
    expect(file).toEqual({ auths: { [`https://${hub.host}/v1/`]: { auth } } });
    expect(asked()).toEqual(["GET /v1/users", "GET /v1/users"]);
  });

  test("hub login says when nothing has checked the password, and follows the redirect of docker-registry", async () => {
    users = new V1Users("docker-registry");
    await expect(hubLogin(index(), { ...anyone, username: "adam", password })).resolves.toMatchObject({
      isChecked: false,
    });
    expect(asked()[1]).toBe("GET /v1/users/");
  });

  test("hub login says that an account is not active", async () => {
    users.add("adam", password, false);
    const error = await failureOf(hubLogin(index(), { ...anyone, username: "adam", password }));
    expect(error).toBeInstanceOf(AuthError);
    expect(error.message).toBe(`Cannot log in to ${hub.host}: status 403, account not active, expected an active one`);
    expectNoCanary(writtenError(error));
  });

  test("hub login with a wrong password stores nothing", async () => {
    const file = join(folder, "DOCKER_CONFIG", "config.json");
    const before = await readFile(file, "utf8").catch(() => "");
    const error = await failureOf(hubLogin(index(), { ...anyone, username: "adam", password: CANARIES.helper }));
    expect(error).toBeInstanceOf(AuthError);
    expectNoCanary(writtenError(error));
    await expect(readFile(file, "utf8").catch(() => "")).resolves.toBe(before);
  });
});

describe("hub user", () => {
  const NEW = { ...anyone, password: CANARIES.refresh, email: "eva@example.com" };

  test("hub user create sends no credentials, and reports an account that is there already", async () => {
    await expect(createUser("evas", { ...NEW, host: index() })).resolves.toEqual({ index: index(), username: "evas" });
    expect(users.users.get("evas")).toMatchObject({ password: NEW.password, emails: [NEW.email] });
    expect(hub.requests[0]?.headers.authorization).toBeUndefined();
    const error = await failureOf(createUser("evas", { ...NEW, host: index() }));
    expect(error.message).toBe(
      `Cannot create user evas at ${hub.host}: status 400 "\\"Username or email already exists\\"", expected 201`,
    );
  });

  test("hub user create repeats the POST where docker-registry redirects to, and nowhere else", async () => {
    users = new V1Users("docker-registry");
    await createUser("evas", { ...NEW, host: index() });
    expect(asked()).toEqual(["POST /v1/users", "POST /v1/users/"]);
    hub.requests.length = 0;
    const location = `http://${hub.registryHost}/v1/users/`;
    hub.addFault({ on: /^POST/, reply: { status: 301, headers: { location } } });
    const error = await failureOf(createUser("evas", { ...NEW, host: index() }));
    expect(error).toBeInstanceOf(RegistryError);
    expect(error.message).toContain("redirected to another address, expected /v1/users/ at the same origin");
    expect(hub.requests).toHaveLength(1);
  });

  test("hub user create does not repeat a password that the index sends back", async () => {
    const body = Buffer.from(JSON.stringify({ password: [`Too simple: ${NEW.password}`] }));
    hub.addFault({ on: /^POST/, reply: { status: 400, body } });
    const error = await failureOf(createUser("evas", { ...NEW, host: index() }));
    expect(error.message).toContain("Too simple: [redacted]");
    expectNoCanary(writtenError(error));
  });

  test.each([
    ["Evas", NEW.password, NEW.email, "a user name"],
    ["../../x", NEW.password, NEW.email, "a user name"],
    ["evas", "1234", NEW.email, "a password of 4 characters"],
    ["evas", NEW.password, "eva", "the mail address"],
    ["evas", NEW.password, "a@b\r\nX: y", "the mail address"],
  ])("hub user create refuses %s, %s, %s before a request", async (name, secret, email, found) => {
    const error = await failureOf(createUser(name, { ...anyone, host: index(), password: secret, email }));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toContain(found);
    expectNoCanary(writtenError(error));
    expect(hub.requests).toHaveLength(0);
  });

  test("hub user update changes the password as the stored user", async () => {
    await updateUser("adam", { ...login, host: index(), password: CANARIES.refresh });
    expect(users.users.get("adam")?.password).toBe(CANARIES.refresh);
    expect(hub.requests[0]?.body.toString()).toBe(JSON.stringify({ password: CANARIES.refresh }));
    const refused = updateUser("other", { ...login, host: index(), email: "a@b" });
    await expect(refused).rejects.toThrow(AuthError);
    users.add("adam", password);
    await expect(updateUser("nobody", { ...login, host: index(), email: "a@b" })).rejects.toThrow(NotFoundError);
  });
});

describe("hub repo, images, token, auth and search", () => {
  test("hub repo create and delete: the library form, and the three steps", async () => {
    const text = `${index()}/app`;
    const endpoints = [hub.registryHost];
    await expect(createRepository(text, login)).resolves.toEqual({ repository: `${index()}/library/app`, endpoints });
    hub.content.addImage({ id: ID, layer: Buffer.from("layer") });
    hub.content.addTag("library/app", "latest", ID);
    const confirm = async (): Promise<boolean> => await Promise.resolve(true);
    await expect(deleteRepository(text, { ...login, confirm })).resolves.toMatchObject({ endpoints });
    expect(hub.requests.map(({ server, method, path, status }) => `${server} ${method} ${path} ${status}`)).toEqual([
      "index PUT /v1/repositories/app/ 200",
      "index DELETE /v1/repositories/app/ 202",
      "registry DELETE /v1/repositories/library/app/ 200",
      "index DELETE /v1/repositories/app/ 200",
    ]);
    const [, , atRegistry, last] = hub.requests;
    expect(atRegistry?.headers.authorization).toMatch(/^Token signature=.*access=delete$/);
    expect(last?.headers["x-docker-endpoints"]).toBe(hub.registryHost);
    expect(last?.headers["x-docker-token"]).toBeUndefined();
    await expect(deleteRepository(text, { ...login, confirm })).rejects.toThrow(NotFoundError);
  });

  test("hub repo delete completes a deletion that was interrupted after any of its steps", async () => {
    const confirm = async (): Promise<boolean> => await Promise.resolve(true);
    const text = `${index()}/team/app`;
    for (const skip of [0, 1, 2]) {
      hub.content.addImage({ id: ID, layer: Buffer.from("layer") });
      hub.content.addTag("team/app", "latest", ID);
      let left = skip;
      // The request counts, and its answer is lost.
      const change = (): { readonly cutAfter?: number } => (left-- === 0 ? { cutAfter: 0 } : {});
      hub.addFault({ on: /^DELETE /, times: 3, change });
      const once = { registry: { ...login.registry, attempts: 1 }, confirm };
      await expect(deleteRepository(text, once)).rejects.toThrow(ImgpackError);
      hub.clearFaults();
      await deleteRepository(text, { ...login, confirm }).catch((error: unknown) => {
        // The last answer was lost, and the index has forgotten it.
        expect([skip, error]).toEqual([2, expect.any(NotFoundError)]);
      });
      expect(hub.content.repositories.has("team/app")).toBe(false);
    }
  });

  test("hub repo delete does nothing without a yes", async () => {
    const confirm = async (): Promise<boolean> => await Promise.resolve(false);
    await expect(deleteRepository(`${index()}/app`, { ...login, confirm })).resolves.toBeUndefined();
    expect(hub.requests).toHaveLength(0);
  });

  test("hub images lists what the index has, and sends it back changed", async () => {
    hub.content.repository("team/app").listed.push({ id: ID, Tag: "1.0" });
    const text = `${index()}/team/app`;
    const listed = await listImages(text, login);
    expect(listed).toEqual({ repository: text, images: [{ id: ID, tag: "1.0" }] });
    const checksum = `sha256:${"00".repeat(32)}`;
    const images = [{ id: ID, checksum }];
    await expect(setImages(text, JSON.stringify({ ...listed, images }), login)).resolves.toEqual({
      repository: text,
      images,
    });
    expect(hub.content.repository("team/app").listed).toEqual([{ id: ID, Tag: "1.0", checksum }]);
    hub.requests.length = 0;
    for (const bad of ["{}", "[]x", '[{"id":"../../x"}]', `[{"id":"${ID}","checksum":"a b"}]`]) {
      await expect(setImages(text, bad, login)).rejects.toThrow(UsageError);
    }
    expect(hub.requests).toHaveLength(0);
  });

  test("hub token reads a token of each access; hub auth says whether it counts", async () => {
    const text = `${index()}/team/app`;
    const confirm = async (): Promise<boolean> => await Promise.resolve(true);
    for (const access of ["write", "read", "delete"] as const) {
      const found = await readToken(text, { ...login, access, confirm });
      expect(found).toMatchObject({ repository: "team/app", access, endpoints: [hub.registryHost] });
      const { token = "" } = found ?? {};
      await expect(authorizeToken(text, { ...anyone, token })).resolves.toEqual({ repository: "team/app", access });
    }
    const token = `signature=${CANARIES.bearer},repository="team/app",access=read`;
    const error = await failureOf(authorizeToken(text, { ...anyone, token }));
    expect(error).toMatchObject({ exitCode: 4, hint: expect.stringContaining("hub token --show") });
    expectNoCanary(writtenError(error));
    await expect(authorizeToken(`${index()}/no/such`, { ...anyone, token })).rejects.toThrow(NotFoundError);
  });

  test("hub token --access delete asks a standalone registry for nothing: it would delete at once", async () => {
    hub.content.repository("team/app");
    const headers = { "x-docker-registry-standalone": "True" };
    hub.addFault({ on: /_ping/, reply: { status: 200, headers, body: Buffer.from("true") } });
    const confirm = async (): Promise<boolean> => await Promise.resolve(true);
    await expect(readToken(`${index()}/team/app`, { ...login, access: "delete", confirm })).rejects.toThrow(
      "a standalone registry, which deletes at once, expected an index",
    );
    expect(asked()).toEqual(["GET /v1/_ping"]);
  });

  test("a host without v1:// is no namespace of Docker Hub, and no unknown scheme", async () => {
    const { host } = hub;
    await expect(listImages(`${host}/team/app`, login)).rejects.toThrow(
      "found a host without v1://, expected [v1://HOST",
    );
    await expect(searchIndex("app", { ...anyone, host })).rejects.toThrow("no v1://, expected v1://HOST[:PORT]");
    expect(hub.requests).toHaveLength(0);
  });

  test("hub asks below the path that was given", async () => {
    hub.options = { ...hub.options, path: "/api/docker/old" };
    const registry = { ...login.registry, v1Path: "/api/docker/old" };
    await createRepository(`${index()}/team/app`, { registry });
    expect(asked()).toEqual(["PUT /api/docker/old/v1/repositories/team/app/"]);
    await expect(createRepository(`${index()}/team/app`, login)).rejects.toThrow(ImgpackError);
  });

  test("hub search reads all pages, up to the limit", async () => {
    hub.options = { ...hub.options, search: "paged" };
    for (let at = 0; at < 230; at += 1) hub.content.repository(`team/app${at}`).description = "old";
    const found = await searchIndex("app", { ...anyone, host: index() });
    expect(found.results).toHaveLength(230);
    expect(found.results[0]).toEqual({ name: "team/app0", description: "old" });
    expect(asked()).toHaveLength(3);
    await expect(searchIndex("app", { ...anyone, host: index(), limit: 3 })).resolves.toMatchObject({
      results: { length: 3 },
    });
    await expect(searchIndex("", { ...anyone, host: index() })).rejects.toThrow(UsageError);
  });

  test.each([404, 405, 410, "html"] as const)("a host with %s in place of the API no longer serves it", async gone => {
    hub.options = { ...hub.options, gone };
    const host = index();
    const confirm = async (): Promise<boolean> => await Promise.resolve(true);
    const user = { ...login, host, password: CANARIES.refresh, email: "a@b" };
    for (const run of [
      async () => await hubLogin(host, { ...anyone, username: "adam", password }),
      async () => await createUser("evas", user),
      async () => await updateUser("adam", user),
      async () => await createRepository(`${host}/app`, login),
      async () => await deleteRepository(`${host}/app`, { ...login, confirm }),
      async () => await listImages(`${host}/app`, login),
      async () => await readToken(`${host}/app`, { ...login, access: "read", confirm }),
      async () => await authorizeToken(`${host}/app`, { ...anyone, token: "signature=x" }),
      async () => await searchIndex("app", { ...anyone, host }),
    ]) {
      const error = await failureOf(run());
      expect(error).toMatchObject({ exitCode: 8 });
      expect(error.message).toContain(`${hub.host} no longer serves the v1 API`);
    }
  });
});

describe("parseHubRepository()", () => {
  test.each([
    ["app", "index.docker.io", "library", "app", true],
    ["team/App", "index.docker.io", "team", "App", false],
    ["v1://hub.lan:5000/app", "hub.lan:5000", "library", "app", true],
    ["v1://hub.lan/library/app", "hub.lan", "library", "app", false],
  ])("parseHubRepository() reads %s", (text, host, namespace, name, isLibrary) => {
    expect(parseHubRepository(text)).toEqual({ host, namespace, name, isLibrary });
  });

  test.each(["v1://hub.lan", "app:1", "a/b/c", "../../x", "a/*", "v1+dir:x//a/b", ""])(
    "parseHubRepository() refuses %j",
    text => {
      expect(() => parseHubRepository(text)).toThrow(/^Cannot/);
    },
  );
});
