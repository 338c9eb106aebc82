import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eraseCredentials, storeCredentials } from "../../../../src/registry/credentials/store-credentials.ts";
import { temporaryFolder } from "../../../support/images.ts";

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
