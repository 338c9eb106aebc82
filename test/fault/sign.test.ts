import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, describe, expect, test, vi } from "vitest";
import { readStoredLock } from "../../src/archive/lock/stored-lock.ts";
import { openArchiveFile } from "../../src/archive/open/open-archive-file.ts";
import { convert, type ProgressEvent, pull, type SigningKeyOptions, UsageError } from "../../src/index.ts";
import { parsePublicKey } from "../../src/oci/signatures/public-key.ts";
import { runCommand } from "../support/command-line.ts";
import { dockerArchive, fileWith, storeImage, temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { keyPair } from "../support/signing-keys.ts";

const pair = keyPair("ed25519");
const encrypted = String(
  pair.privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "right" }),
);
const dockerImage = async (): Promise<string> => await fileWith(dockerArchive());

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** Whether the archive is signed by `pair`; undefined without a signature. */
async function isSigned(path: string): Promise<boolean | undefined> {
  await using archive = await openArchiveFile(path);
  const stored = await readStoredLock(archive);
  const signature = stored?.signature;
  return stored && signature && parsePublicKey(pair.publicPem, "key").isValid(stored.bytes, signature);
}

async function outputPath(): Promise<string> {
  return join(await temporaryFolder(), "out.tar");
}

describe("convert() and pull() with sign", () => {
  test("pull() signs the archive", async () => {
    const registry = await ScriptedRegistry.start();
    storeImage(registry.content, [Buffer.from("layer")]);
    const output = await outputPath();
    await pull([`${registry.host}/app:1`], { output, registry: { tls: { plainHttp: true } }, sign: { key: pair.pem } });
    expect(await isSigned(output)).toBe(true);
  });

  test("convert() keeps the signature while the lock is the same, and says so if it is not", async () => {
    const [output, same, renamed] = [await outputPath(), await outputPath(), await outputPath()];
    await convert(await dockerImage(), { output, sign: { key: pair.pem } });
    const notes: string[] = [];
    const onProgress = (event: ProgressEvent): void => {
      if (event.kind === "note") notes.push(event.message);
    };
    await convert(output, { output: same, onProgress });
    expect((await readFile(same)).equals(await readFile(output))).toBe(true);
    expect(notes).toEqual([]);
    await convert(output, { output: renamed, tag: "r.lan/other:1", onProgress });
    expect(await isSigned(renamed)).toBeUndefined();
    expect(notes).toEqual(["The signature is left out: it is of another lock. Sign the output with --sign"]);
  });

  test("convert() signs nothing that has no lock, and refuses a key before it reads anything", async () => {
    const docker = { output: await outputPath(), format: "docker", sign: { key: pair.pem } } as const;
    await expect(convert("absent.tar", docker)).rejects.toThrow("Cannot sign a docker archive: it has no lock");
    const bad = { output: await outputPath(), sign: { key: pair.publicPem } };
    await expect(convert("absent.tar", bad)).rejects.toThrow("Cannot use signing key: found a public key");
  });

  test("a key in the wrong option is in no message", async () => {
    const options = { output: await outputPath(), sign: pair.pem as unknown as SigningKeyOptions };
    const error = await convert(await dockerImage(), options).catch((fault: unknown) => fault);
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toMatchObject({ message: "Cannot use option sign: found a string, expected an object" });
  });
});

describe("imgpack convert --sign", () => {
  test("takes the passphrase of a file, of the environment, or of the terminal, and shows it nowhere", async () => {
    const [input, key] = [await dockerImage(), await fileWith(Buffer.from(encrypted), "key.pem")];
    const run = async (...words: readonly string[]): Promise<[number, string, boolean | undefined]> => {
      const output = await outputPath();
      const { exitCode, stdout, stderr } = await runCommand("convert", input, output, "--sign", key, ...words);
      return [exitCode, stdout + stderr, exitCode === 0 ? await isSigned(output) : undefined];
    };
    const file = await fileWith(Buffer.from("right\n"), "passphrase");
    const shown = expect.not.stringContaining("right");
    expect(await run("--sign-passphrase-file", file)).toEqual([0, shown, true]);
    expect(await run()).toEqual([2, expect.stringContaining("found an encrypted key and no passphrase"), undefined]);
    vi.stubEnv("IMGPACK_SIGN_PASSPHRASE", "wrong");
    expect(await run()).toEqual([2, expect.stringContaining("that the passphrase does not open"), undefined]);
    // The file takes precedence.
    expect(await run("--sign-passphrase-file", file)).toEqual([0, shown, true]);
    vi.stubEnv("IMGPACK_SIGN_PASSPHRASE", "right");
    expect(await run()).toEqual([0, shown, true]);
    vi.stubEnv("IMGPACK_SIGN_PASSPHRASE", "");
    const terminal = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => terminal });
    terminal.write("right\r");
    vi.spyOn(process, "stdin", "get").mockReturnValue(terminal as never);
    expect(await run()).toEqual([0, expect.stringMatching(/Passphrase for ".*key\.pem": \n/), true]);
  });

  test("says which file it cannot read, and that a passphrase needs a key", async () => {
    const [input, output] = ["absent.tar", await outputPath()];
    expect(await runCommand("convert", input, output, "--sign", "absent.pem")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(
        'Cannot read --sign "absent.pem": no readable file, expected a private key in PEM',
      ),
    });
    expect(await runCommand("convert", input, output, "--sign-passphrase-file", "file")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("Cannot use --sign-passphrase-file: no --sign given, expected both"),
    });
  });
});
