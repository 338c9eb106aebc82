import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { afterEach, describe, expect, test, vi } from "vitest";
import { askLine, askSecret } from "../../../src/cli/prompt.ts";
import { CANARIES, expectNoCanary } from "../../support/canaries.ts";
import { ownEnvironment, runCommand, said } from "../../support/command-line.ts";
import { ScriptedRegistry } from "../../support/scripted-registry.ts";

const folder = ownEnvironment();
const password = CANARIES.password;

afterEach(() => {
  vi.restoreAllMocks();
});

/** Stands for stdin: a pipe, or a terminal at which this is typed. */
function typeAtStdin(text: string, isTTY: boolean): { readonly modes: boolean[] } {
  const modes: boolean[] = [];
  const input = Object.assign(Readable.from([Buffer.from(text)]), {
    isTTY,
    setRawMode: (isRaw: boolean) => void modes.push(isRaw),
  });
  vi.spyOn(process, "stdin", "get").mockReturnValue(input as never);
  return { modes };
}

async function startRegistry(): Promise<ScriptedRegistry> {
  return await ScriptedRegistry.start({
    auth: { scheme: "basic", user: "ci", password },
    faults: [{ on: /^GET \/v2\/$/, times: 99, change: reply => (reply.status === 404 ? { status: 200 } : {}) }],
  });
}

describe("imgpack login", () => {
  test("imgpack login takes the password from stdin, says what it did, and logout undoes it", async () => {
    const registry = await startRegistry();
    typeAtStdin(`${password}\n`, false);
    const outcome = await runCommand("login", registry.host, "-u", "ci", "--password-stdin");
    const file = join(folder, "DOCKER_CONFIG", "config.json");
    expect(outcome).toEqual({
      exitCode: 0,
      stdout: `Logged in to ${registry.host} as ci\n`,
      stderr: `The password is stored unencrypted in ${file}; a credential helper (credsStore) would store it more safely\n`,
    });
    await expect(readFile(file, "utf8")).resolves.toContain(Buffer.from(`ci:${password}`).toString("base64"));
    const json = await runCommand("logout", registry.host, "--json");
    expect(JSON.parse(json.stdout)).toEqual({ registry: registry.host, isErased: true, file });
    await expect(runCommand("logout", registry.host)).resolves.toEqual({
      exitCode: 0,
      stdout: `Not logged in to ${registry.host}: nothing to remove\n`,
      stderr: "",
    });
  });

  test("imgpack login asks at a terminal, which does not show the password", async () => {
    const registry = await startRegistry();
    const { modes } = typeAtStdin(`${password}\r`, true);
    const outcome = await runCommand("login", registry.host, "--username", "ci", "--json");
    expect(outcome.exitCode).toBe(0);
    expect(JSON.parse(outcome.stdout)).toMatchObject({ registry: registry.host, username: "ci", isChecked: true });
    expect(outcome.stderr).toBe(`Password for ${registry.host}: \n`);
    expectNoCanary(outcome.stdout, outcome.stderr);
    expect(modes).toEqual([true, false]);
    await runCommand("logout", registry.host);
  });

  test("imgpack login with a wrong password prints none", async () => {
    const registry = await startRegistry();
    typeAtStdin(CANARIES.helper, false);
    const outcome = await runCommand("login", registry.host, "-u", "ci", "--password-stdin", "--verbose");
    expect(outcome).toMatchObject({ exitCode: 4, stdout: "" });
    expectNoCanary(outcome.stderr);
  });

  test.each([
    [["login"], "Cannot run login: no input given, expected at least one"],
    [
      ["login", "r.lan", "--password-stdin"],
      "Cannot log in: no user name given, expected --username with --password-stdin",
    ],
    [["login", "r.lan", "-u", "ci"], "Cannot log in: no terminal to ask on, expected --username and --password-stdin"],
    [
      ["login", "r.lan", "-u", "ci", "--password", "x"],
      'Cannot run login: unknown flag "--password", expected a flag of login',
    ],
    [["login", "r.lan", "-u", "ci", "--cert-file", "x"], "Cannot use --cert-file: no --key-file given, expected both"],
    [
      ["pull", "a:1", "-o", "x", "--token-stdin", "--password-stdin"],
      "Cannot use --token-stdin: --password-stdin given as well, expected one of them",
    ],
    [
      ["pull", "a:1", "-o", "x", "--key-file", "/nonexistent", "--cert-file", "/nonexistent"],
      'Cannot read --cert-file "/nonexistent": no readable file, expected PEM certificates',
    ],
  ])("imgpack refuses %j", async (words, message) => {
    typeAtStdin("", false);
    const outcome = await runCommand(...words);
    expect(outcome).toMatchObject({ exitCode: 2, stdout: "" });
    expect(said(outcome)[0]).toBe(message);
  });
});

test.each([
  ["hub", "login", "--password", "x"],
  ["login", "r.lan", "-p", "x"],
  ["pull", "a:1", "-o", "x", "--password", "x"],
])("imgpack %s %s says that a password comes from stdin", async (...words) => {
  expect(said(await runCommand(...words))[1]).toMatch(/^Passwords come from stdin.*: pass --password-stdin\.$/);
});

describe("askSecret()", () => {
  function terminal(...typed: readonly string[]): {
    input: never;
    output: Writable;
    shown: string[];
    signal: AbortSignal;
  } {
    const shown: string[] = [];
    const output = new Writable({
      write(chunk: Buffer, _encoding, onDone) {
        shown.push(chunk.toString());
        onDone();
      },
    });
    const input = Object.assign(Readable.from(typed.map(text => Buffer.from(text))), { setRawMode: () => undefined });
    return { input: input as never, output, shown, signal: new AbortController().signal };
  }

  test.each([
    ["a line", ["secret\r"], "secret"],
    ["keys one by one", ["s", "ä", "t", "\n"], "sät"],
    ["a key that takes back", ["sx\u007fec\b", "r\r"], "ser"],
    ["a line that is started again", ["wrong\u0015right\r"], "right"],
    ["arrow keys without their escape", ["a\u001bb\r"], "ab"],
    ["an empty line", ["\r"], ""],
  ])("askSecret() reads %s and shows nothing of it", async (_what, typed, secret) => {
    const at = terminal(...typed);
    await expect(askSecret("Password: ", at)).resolves.toBe(secret);
    expect(at.shown.join("")).toBe("Password: \n");
  });

  test.each([["\u0003"], ["ab\u0004"], [""]])("askSecret() is cancelled by %j", async typed => {
    await expect(askSecret("Password: ", terminal(typed))).rejects.toMatchObject({ exitCode: 2 });
  });

  test("askLine() reads a name", async () => {
    const at = terminal(" ci \n");
    await expect(askLine("User name: ", at)).resolves.toBe("ci");
    expect(at.shown.join("")).toBe("User name: ");
  });
});
