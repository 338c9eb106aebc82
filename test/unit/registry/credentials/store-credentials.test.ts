import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { eraseCredentials, storeCredentials } from "../../../../src/registry/credentials/store-credentials.ts";
import { ProcessLock } from "../../../../src/util/lock/process-lock.ts";
import { temporaryFolder } from "../../../support/images.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

test("ten logins at once keep ten, and leave nothing else", async () => {
  const folder = await temporaryFolder();
  const env = { DOCKER_CONFIG: folder };
  const names = Array.from({ length: 10 }, (_, index) => `r${index}.lan`);
  const login = { username: "u", password: "p" };
  await Promise.all(names.map(async name => await storeCredentials(name, login, { env, home: folder })));
  const { auths } = JSON.parse(await readFile(join(folder, "config.json"), "utf8")) as { auths: object };
  expect(Object.keys(auths).sort()).toEqual(names);
  await Promise.all(names.slice(1).map(async name => await eraseCredentials(name, { env, home: folder })));
  const left = JSON.parse(await readFile(join(folder, "config.json"), "utf8")) as { auths: object };
  expect(Object.keys(left.auths)).toEqual(["r0.lan"]);
  expect(await readdir(folder)).toEqual(["config.json"]);
});

test("a login waits 30 seconds for another one, however long each look at the lock takes", async () => {
  const folder = await temporaryFolder();
  const other = await ProcessLock.claim(join(folder, "config.json.imgpack-lock"), "config.json");
  onTestFinished(async () => await other.remove());
  // Each look at the clock is 20 seconds after the one before.
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => (now += 20_000));
  const login = storeCredentials("r.lan", { username: "u", password: "p" }, { env: { DOCKER_CONFIG: folder } });
  await expect(login).rejects.toThrow("another run is writing it");
});
