import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { answerText } from "../../../../src/cli/completion/answer/answer.ts";
import { ownEnvironment, runCommand } from "../../../support/command-line.ts";
import { ScriptedRegistry, type ScriptOptions } from "../../../support/scripted-registry.ts";
import { TEST_TLS } from "../../../support/test-tls.ts";
import { fillImage } from "../../../support/v1/fill-v1.ts";
import { V1Registry } from "../../../support/v1/v1-registry.ts";
import { listing } from "../../verbs/query/listed-registry.ts";

const home = ownEnvironment();
afterAll(() => vi.unstubAllEnvs());

const HOSTILE = ["\u001B]0;x\u0007", "1.0\n--tag", "a b", "$(reboot)", "`x`", "é", "-rf", "", "a".repeat(300)];

/** What is offered for the last word; nothing but an answer is printed. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const { exitCode, stdout, stderr } = await runCommand("__complete", String(words.length - 1), ...words);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  const [head, ...lines] = stdout.replace(/\n$/, "").split("\n");
  expect(head).toMatch(/^(?:none|files|folders)\t[^\t]+\t(?:--[a-z-]+=)?$/);
  return lines.map(line => line.split("\t")[0] ?? "");
}

async function startNamed(options: ScriptOptions = {}): Promise<ScriptedRegistry> {
  return await ScriptedRegistry.start({
    ...options,
    faults: [
      ...(options.faults ?? []),
      listing(/^GET \/v2\/team\/app\/tags\/list/, "tags", ["1.0", "1.10", "1.9", ...HOSTILE]),
      listing(/^GET \/v2\/_catalog/, "repositories", ["team/app", "tools", "../up", ...HOSTILE]),
    ],
  });
}

function storeCredentials(entries: object): void {
  const folder = join(home, "DOCKER_CONFIG");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "config.json");
  writeFileSync(file, JSON.stringify(entries));
  onTestFinished(() => writeFileSync(file, "{}"));
}

describe("imgpack __complete", () => {
  test("lists tags of a registry, the newest first, and leaves out what is no tag", async () => {
    const { host } = await startNamed();
    expect(await offered("pull", `${host}/team/app:`)).toEqual(
      ["1.10", "1.9", "1.0"].map(tag => `${host}/team/app:${tag}`),
    );
    expect(await offered("pull", `${host}/team/app:1.1`)).toEqual([`${host}/team/app:1.10`]);
  });

  test("lists repositories of a registry, and leaves out what is no repository", async () => {
    const { host } = await startNamed();
    expect(await offered("pull", `${host}/`)).toEqual([`${host}/team/app:`, `${host}/tools:`]);
    expect(await offered("tags", `${host}/te`)).toEqual([`${host}/team/app`]);
  });

  test("takes the registry of the line for names that have none", async () => {
    const registry = await startNamed();
    expect(await offered("pull", "--registry", registry.host, "team/app:1.1")).toEqual(["team/app:1.10"]);
    expect(await offered("pull", "--registry", registry.host, "to")).toContain("tools:");
    expect(await offered("delete", "team/app:")).toEqual([]);
  });

  test("uses the flags of the line, also those after the cursor", async () => {
    const { host } = await startNamed({ tls: TEST_TLS });
    const name = `${host}/team/app:1.1`;
    expect(await offered("pull", name)).toEqual([]);
    expect(await offered("pull", "--insecure", name)).toEqual([`${name}0`]);
    const { stdout } = await runCommand("__complete", "1", "pull", name, "--insecure");
    expect(stdout).toContain(`${name}0`);
  });

  test("lists tags of a v1 registry below --v1-path", async () => {
    const registry = await V1Registry.start({ isReadOnly: true, path: "/old" });
    for (const tag of ["1.0", "2.0"]) fillImage(registry.content, "team/App", tag);
    const repository = `v1://${registry.host}/team/App`;
    expect(await offered("pull", "--v1-path", "/old", `${repository}:`)).toEqual([
      `${repository}:2.0`,
      `${repository}:1.0`,
    ]);
    registry.requests.length = 0;
    for (const word of ["v1:", "v1://", `v1://${registry.host}`]) await offered("pull", word);
    expect(registry.requests).toEqual([]);
  });

  test("asks a registry once, and says nothing where it refuses or is gone", async () => {
    const registry = await startNamed({ faults: [{ on: /tags/, reply: { status: 503 } }] });
    expect(await offered("pull", `${registry.host}/team/app:`)).toEqual([]);
    expect(registry.requests.filter(({ path }) => path.includes("tags"))).toHaveLength(1);
    await registry.close();
    expect(await offered("pull", `${registry.host}/team/app:`)).toEqual([]);
  });

  test("gives up on a registry that never ends its answer", async () => {
    const deadline = new AbortController();
    vi.spyOn(AbortSignal, "timeout").mockReturnValue(deadline.signal);
    onTestFinished(() => void vi.restoreAllMocks());
    const never = new Promise<void>(() => undefined);
    const reply = { status: 200, body: Buffer.from("{}") };
    const stall = { after: 1, until: never };
    const { host } = await ScriptedRegistry.start({
      faults: [{ on: /tags/, reply, stall, onRequest: () => deadline.abort() }],
    });
    expect(await offered("pull", `${host}/team/app:`)).toEqual([]);
  });

  test("sends stored credentials to their registry alone, and none where the line replaces them", async () => {
    const registry = await startNamed({ auth: { scheme: "basic", user: "ci", password: "secret" } });
    const other = await startNamed();
    const { host } = registry;
    storeCredentials({ auths: { [host]: { auth: Buffer.from("ci:secret").toString("base64") } } });
    expect(await offered("pull", `${host}/team/app:1.1`)).toEqual([`${host}/team/app:1.10`]);
    await offered("pull", `${host}/team/app:1.1`, `${other.host}/team/app:`);
    expect(other.requests).not.toEqual([]);
    expect(other.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
    registry.requests.length = 0;
    for (const flags of [["--username", "me"], ["--password-stdin"], ["--token-stdin"]]) {
      expect(await offered("pull", ...flags, `${host}/team/app:`)).toEqual([]);
    }
    expect(registry.requests).toEqual([]);
  });

  test("asks no registry for words that are no tags yet", async () => {
    const registry = await startNamed();
    const { host } = registry;
    for (const words of [
      ["pull", host],
      ["pull", `${host}/team/app@sha256:`],
      ["push", `${host}/team/app:`],
      ["inspect", `./${host}/team/app:`],
      ["verify", "./archive:"],
      ["pull", "--", "-"],
    ]) {
      await offered(...words);
    }
    expect(registry.requests).toEqual([]);
  });

  test("names the registries of stored credentials, never a secret", async () => {
    storeCredentials({
      auths: {
        "registry.lan:5000/team": { auth: "Y2k6c2VjcmV0" },
        "https://index.docker.io/v1/": {},
        "bad host\u001B": {},
      },
      credHelpers: { "helped.lan": "nonexistent" },
    });
    expect(await offered("login", "")).toEqual(["registry.lan:5000", "docker.io", "helped.lan"]);
    const { stdout } = await runCommand("__complete", "1", "login", "");
    expect(stdout).not.toMatch(/Y2k6c2VjcmV0|secret|bad/);
  });

  test.each([
    ["no number", ["x", "push"]],
    ["nothing", []],
    ["a number that is too large", ["99999999", "push"]],
  ])("answers %s with nothing", async (_what, words) => {
    expect(await runCommand("__complete", ...words)).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  });

  test("is no command that people see", async () => {
    expect((await runCommand("--help")).stdout).not.toContain("__complete");
    expect((await offered("")).join()).not.toContain("__");
  });
});

describe("answerText()", () => {
  test("leaves out words that a shell or a terminal takes for more than text", () => {
    const candidates = ["a\tb", "a\nb", "a b", "a;b", "a&b", "a|b", "a'b", "a\\b", "a\u202Eb", ""].map(value => ({
      value,
      text: "",
    }));
    expect(answerText({ candidates, files: "none", endings: [], prefix: "" })).toBe("none\t*\t\n");
  });

  test("gives a thousand words at most, each with a short text of one line", () => {
    const candidates = Array.from({ length: 2000 }, (_, at) => ({
      value: `w${at}`,
      text: `long\u001B[31m ${"word ".repeat(at)}`,
    }));
    const lines = answerText({ candidates, files: "files", endings: [".tar"], prefix: "--output=" }).split("\n");
    expect(lines[0]).toBe("files\t.tar\t--output=");
    expect(lines).toHaveLength(1002);
    for (const line of lines.slice(1)) expect(line).toMatch(/^(?:w\d+\tlong)?$/);
  });

  test("shortens a text at a word", () => {
    const candidates = [{ value: "a", text: "word ".repeat(40) }];
    const [, line = ""] = answerText({ candidates, files: "none", endings: [], prefix: "" }).split("\n");
    expect(line).toMatch(/^a\t(?:word ){10,14}\.\.\.$/);
  });
});
