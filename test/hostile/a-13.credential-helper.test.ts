import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AuthError } from "../../src/errors.ts";
import { askCredentialHelper, type HelperAnswer } from "../../src/registry/credentials/credential-helper.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "imgpack-helper-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function putHelper(script: string, name = "docker-credential-own"): Promise<void> {
  await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, name), 0o755);
}

async function ask(name = "own", env: NodeJS.ProcessEnv = {}, timeoutMs = 60_000): Promise<HelperAnswer | undefined> {
  return await askCredentialHelper(name, "registry.example", {
    env: { PATH: `${folder}:/usr/bin:/bin`, ...env },
    timeoutMs,
  });
}

const GOOD = '\'{"ServerURL":"registry.example","Username":"u","Secret":"s"}\'';

describe.skipIf(process.platform === "win32")(
  "A-13 helper names and processes (CVE-2024-27980, CVE-2024-36138)",
  () => {
    test.each([
      "../own",
      "a/../own",
      "own/x",
      "/bin/sh",
      "..",
      "own x",
      "own;x",
      "$(x)",
      "own\n",
      "",
      "a".repeat(65),
      "öwn",
    ])("A-13 refuses the name %j before it starts anything", async name => {
      await putHelper(`: > "${folder}/started"; echo ${GOOD}`);
      await expect(ask(name)).rejects.toThrow("helper name with other characters");
      await expect(readFile(join(folder, "started"))).rejects.toThrow("ENOENT");
    });

    test("A-13 passes only 'get' as argument and a small environment", async () => {
      await putHelper(`env > "${folder}/env"; echo "$#:$*" > "${folder}/args"; echo ${GOOD}`);
      const env = {
        HOME: "/home/x",
        AWS_PROFILE: "kept",
        IMGPACK_TOKEN: "canary",
        NPM_TOKEN: "canary",
        HTTPS_PROXY: "http://user:canary@proxy.example",
        HTTP_PROXY: "http://proxy.example",
      };
      await ask("own", env);
      await expect(readFile(join(folder, "args"), "utf8")).resolves.toBe("1:get\n");
      const passed = await readFile(join(folder, "env"), "utf8");
      expect(passed).not.toContain("canary");
      expect(passed).toContain("AWS_PROFILE=kept");
      expect(passed).toContain("HTTP_PROXY=http://proxy.example");
    });

    test("A-13 stops a helper that never answers, also when its child holds the pipe", async () => {
      await putHelper("sleep 60 & exec sleep 60");
      await expect(ask("own", {}, 50)).rejects.toThrow("no answer within 0.05 seconds");
    });

    test("A-13 stops a helper that answers without end", async () => {
      await putHelper("while :; do echo canary-canary-canary-canary; done");
      const thrown: unknown = await ask().catch((error: unknown) => error);
      expect(thrown).toMatchObject({ message: expect.stringContaining("answer above 64 KiB") });
      expect(String(thrown)).not.toContain("canary");
    });
  },
);

describe.skipIf(process.platform === "win32")(
  "A-15 a helper that fails is an error, never an anonymous try (CVE-2021-41092)",
  () => {
    test("A-15 missing program", async () => {
      await expect(ask()).rejects.toThrow(
        'Cannot read credentials for registry.example from "docker-credential-own": no such program, expected a user name and a secret',
      );
    });

    test("A-15 program that cannot be started", async () => {
      await writeFile(join(folder, "docker-credential-own"), "no program");
      await expect(ask()).rejects.toThrow(AuthError);
    });

    test.each([
      ["a failing exit", "echo canary; echo canary >&2; exit 1", "exit status 1"],
      ["death by signal", "echo canary; kill -9 $$", "exit status SIGKILL"],
      ["garbage", "echo canary", "malformed answer"],
      ["nothing", "exit 0", "malformed answer"],
      ["a list", "echo '[\"canary\"]'", "malformed answer"],
      ["no secret", 'echo \'{"Username":"canary"}\'', "malformed answer"],
      ["an empty secret", 'echo \'{"Username":"canary","Secret":""}\'', "empty secret"],
      [
        "another registry",
        'echo \'{"ServerURL":"https://evil.example","Username":"u","Secret":"canary"}\'',
        "credentials of another registry",
      ],
    ])("A-15 %s", async (_what, script, found) => {
      await putHelper(script);
      const thrown: unknown = await ask().catch((error: unknown) => error);
      expect(thrown).toBeInstanceOf(AuthError);
      expect(thrown).toMatchObject({
        message: expect.stringContaining(found),
        hint: expect.stringContaining("helper"),
      });
      expect(`${String(thrown)} ${String((thrown as Error).cause)}`).not.toContain("canary");
    });

    test("A-15 'credentials not found' alone means none", async () => {
      await putHelper('echo "credentials not found in native keychain"; exit 1');
      await expect(ask()).resolves.toBeUndefined();
    });
  },
);
