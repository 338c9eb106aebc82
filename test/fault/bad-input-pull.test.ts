import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type Outcome, ownEnvironment, runCommand, said } from "../support/command-line.ts";
import { storeImage, temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { always, BIG, BIG_BLOB, MANIFEST } from "./pull-support.ts";

let folder: string;

beforeAll(() => {
  folder = ownEnvironment();
});

describe("imgpack pull", () => {
  async function pullOutcome(
    server: ScriptedRegistry,
    tag = "1",
    ...words: readonly string[]
  ): Promise<Outcome & { left: string[] }> {
    const target = await temporaryFolder();
    const output = ["-o", join(target, "out.tar"), "--platform", "linux/amd64"];
    const outcome = await runCommand("pull", `${server.host}/app:${tag}`, ...output, ...words);
    return { ...outcome, left: readdirSync(target) };
  }

  test("imgpack pull names an unknown tag", async () => {
    const server = await ScriptedRegistry.start();
    const outcome = await pullOutcome(server, "nope");
    expect(outcome).toMatchObject({ exitCode: 5, stdout: "", left: [] });
    expect(said(outcome)).toEqual([
      `Cannot pull manifest nope from ${server.host}/app: status 404 MANIFEST_UNKNOWN "manifest unknown", expected 200`,
      `${server.host}/app lists no tags: check the name.`,
    ]);
  });

  test("imgpack pull names wrong credentials, and the file that they came from", async () => {
    const server = await ScriptedRegistry.start({ auth: { scheme: "basic", user: "ci", password: "right" } });
    const auths = { [server.host]: { auth: Buffer.from("ci:canary").toString("base64") } };
    const file = join(folder, "DOCKER_CONFIG", "config.json");
    mkdirSync(dirname(file));
    writeFileSync(file, JSON.stringify({ auths }));
    const outcome = await pullOutcome(server);
    rmSync(dirname(file), { recursive: true });
    expect(outcome).toMatchObject({ exitCode: 4, stdout: "", left: [] });
    expect(said(outcome)).toEqual([
      `Cannot pull manifest 1 from ${server.host}/app: status 401 for user "ci" UNAUTHORIZED "authentication required", expected 200`,
      `Credentials came from ${file}; if they are not the right ones, pass --username and --password-stdin, or run "imgpack login ${server.host}".`,
    ]);
    expect(outcome.stderr).not.toMatch(/canary|Y2k6Y2FuYXJ5/);
  });

  test("imgpack pull names a registry that cannot be reached", async () => {
    const server = await ScriptedRegistry.start();
    await server.close();
    const outcome = await pullOutcome(server);
    expect(outcome).toMatchObject({ exitCode: 7, stdout: "", left: [] });
    expect(said(outcome)).toEqual([
      `Cannot pull manifest 1 from ${server.host}/app: connection refused, expected an answer`,
      "Check the registry's host name and port.",
    ]);
  });

  test("imgpack pull says that it tries again, and gets there", async () => {
    const server = await ScriptedRegistry.start({ faults: [{ on: MANIFEST, times: 2, reply: { status: 503 } }] });
    const { digest } = storeImage(server.content, [BIG]);
    const outcome = await pullOutcome(server);
    expect(outcome).toMatchObject({ exitCode: 0, stdout: `${server.host}/app:1@${digest}\n`, left: ["out.tar"] });
    expect(outcome.stderr.match(/status 503, expected 200; retrying in \d s/g)).toHaveLength(1);
    expect(outcome.stderr).toContain(`${server.host}: 1 more request was sent again\n`);
  });

  test("imgpack pull refuses a blob that its digest does not fit", async () => {
    const wrong = Buffer.from(BIG);
    wrong[5] = (wrong[5] ?? 0) ^ 1;
    const server = await ScriptedRegistry.start({
      faults: [always({ on: BIG_BLOB, change: () => ({ body: wrong }) })],
    });
    storeImage(server.content, [BIG]);
    const outcome = await pullOutcome(server);
    expect(outcome).toMatchObject({ exitCode: 6, stdout: "", left: [] });
    expect(said(outcome)[0]).toMatch(
      new RegExp(
        `^Cannot accept blob from ${server.host}/app:1: found sha256:[0-9a-f]{64} \\(${BIG.length} bytes\\), expected sha256:`,
      ),
    );
  });

  test.each<[string, readonly string[], string]>([
    [
      "a platform in another form",
      ["--platform", "a/b/c/d"],
      'Cannot read platform "a/b/c/d": malformed, expected os/architecture[/variant]',
    ],
    [
      "all beside another platform",
      ["--platform", "all,linux/arm64"],
      'Cannot pull: "all" is given next to other platforms, expected it alone',
    ],
    [
      "no number of workers",
      ["--concurrency", "many"],
      "Cannot use --concurrency: found no number, expected a whole number from 1 to 64",
    ],
    [
      "no number of a volume",
      ["--volume-size", "8M", "--volume", "two"],
      "Cannot use --volume: found no number, expected a whole number from 1",
    ],
    [
      "too many workers",
      ["--concurrency", "65"],
      "Cannot use --concurrency: found 65, expected a whole number from 1 to 64",
    ],
    [
      "a user without password",
      ["--username", "ci"],
      "Cannot log in to HOST: no password given, expected a user name and a password",
    ],
    [
      "a certificate file that is not there",
      ["--ca-file", "/nonexistent.pem"],
      'Cannot read --ca-file "/nonexistent.pem": no readable file, expected PEM certificates',
    ],
  ])("imgpack pull refuses %s", async (_what, words, message) => {
    const server = await ScriptedRegistry.start();
    const output = join(await temporaryFolder(), "out.tar");
    const outcome = await runCommand("pull", `${server.host}/app:1`, "-o", output, ...words);
    expect(outcome).toMatchObject({ exitCode: 2, stdout: "" });
    expect(said(outcome)[0]).toBe(message.replace("HOST", server.host));
    expect(server.requests).toEqual([]);
    expect(existsSync(output)).toBe(false);
  });

  test("imgpack pull leaves what had the output's name as it was", async () => {
    const server = await ScriptedRegistry.start({ faults: [always({ on: BIG_BLOB, reply: { status: 404 } })] });
    storeImage(server.content, [BIG]);
    const target = await temporaryFolder();
    const output = join(target, "out.tar");
    writeFileSync(output, "before");
    const outcome = await runCommand("pull", `${server.host}/app:1`, "-o", output, "--platform", "linux/amd64");
    expect(outcome.exitCode).toBe(5);
    expect(readdirSync(target)).toEqual(["out.tar"]);
    expect(readFileSync(output, "utf8")).toBe("before");
  });
});
