import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { CANARIES, expectNoCanary } from "../support/canaries.ts";
import { ownEnvironment, runCommand } from "../support/command-line.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { fillImage } from "../support/v1/fill-v1.ts";
import { V1Registry } from "../support/v1/v1-registry.ts";

const folder = ownEnvironment();
afterAll(() => vi.unstubAllEnvs());

test("M-06 passwords and tokens of a v1 index are in no output, report, cache or request to another host", async () => {
  const user = { name: "adam", password: CANARIES.password };
  const registry = await V1Registry.start({ hasIndex: true, user, redirects: "all" });
  vi.stubEnv("IMGPACK_REGISTRY", registry.host);
  vi.stubEnv("IMGPACK_USERNAME", user.name);
  vi.stubEnv("IMGPACK_PASSWORD", user.password);
  fillImage(registry.content, "team/app", "1");
  const index = `v1://${registry.host}`;
  const target = await ScriptedRegistry.start();
  const rescue = ["copy", `${index}/team/*`, "--to", `${target.host}/saved`, "--verbose"];
  const said: string[] = [];
  for (const words of [
    ["pull", `${index}/team/app:1`, "-o", join(folder, "app.tar"), "--verbose"],
    ["pull", `${index}/team/none:1`, "-o", join(folder, "none.tar"), "--verbose"],
    ...["html", "csv", "json"].map(kind => [...rescue, "--report", join(folder, `report.${kind}`)]),
    ["hub", "token", `${index}/team/app`],
    ["hub", "token", `${index}/team/app`, "--json"],
    ["hub", "images", `${index}/team/app`, "--verbose"],
    ["hub", "repo", "delete", `${index}/team/none`, "--yes", "--verbose", "--json"],
  ]) {
    const { stdout, stderr, exitCode } = await runCommand(...words);
    said.push(stdout, stderr);
    expect([words.join(" "), exitCode]).toEqual([words.join(" "), words.join(" ").includes("none") ? 5 : 0]);
  }
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).map(name => join(folder, name));
  const kept = files.filter(file => statSync(file).isFile()).map(file => readFileSync(file, "latin1"));
  const foreign = registry.requests.filter(({ server }) => server === "storage");
  expect(foreign).not.toHaveLength(0);
  for (const { headers } of foreign) {
    expect(Object.keys(headers).filter(name => /^(?:authorization|cookie|x-docker-.*)$/.test(name))).toEqual([]);
  }
  const atRegistry = registry.requests.filter(({ server }) => server !== "index").map(({ headers }) => headers);
  expect(target.requests.flatMap(({ headers }) => headers.authorization ?? [])).toEqual([]);
  expectNoCanary(...said, ...kept, atRegistry, JSON.stringify(target.requests));
  for (const token of registry.tokens.issued.keys()) {
    const signature = /signature=([0-9a-f]+)/.exec(token)?.[1] ?? "";
    expect(signature).not.toBe("");
    for (const text of [...said, ...kept]) expect(text).not.toContain(signature);
  }
});
