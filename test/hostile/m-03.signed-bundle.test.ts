// M-03: what is used is what was signed, and nothing else.
import { sign as signBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeEach, describe, expect, test } from "vitest";
import { formatLock } from "../../src/bundle/lock/format-lock.ts";
import type { Lock } from "../../src/bundle/lock/lock.ts";
import { parseLock } from "../../src/bundle/lock/parse-lock.ts";
import { type ArchiveFormat, convert, type ProgressEvent, pull, push, verify } from "../../src/index.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { OCI_CONFIG } from "../../src/oci/media-types.ts";
import { type ArchiveFiles as Files, filesOf } from "../support/archive-files.ts";
import { runCommand } from "../support/command-line.ts";
import { fileWith, storeImage, temporaryFolder } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { putReferrer } from "../support/referrer-manifests.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { keyPair } from "../support/signing-keys.ts";
import { tarOf } from "../unit/archive/archive-builder.ts";

const [pair, other] = [keyPair("ed25519"), keyPair("ecdsa")];
const key = pair.publicPem;
const PLAIN = { tls: { plainHttp: true } };
const LOCK = "imgpack.json";

let made: Promise<Uint8Array> | undefined;

/** An archive of two images, of which one has a signature, signed by `pair`. */
async function signedArchive(): Promise<string> {
  made ??= makeArchive();
  return await fileWith(await made, "out.tar");
}

async function makeArchive(): Promise<Uint8Array> {
  const { host, content } = await ScriptedRegistry.start();
  content.hasReferrers = true;
  const { digest: subject } = storeImage(content, [Buffer.from("layer")]);
  putReferrer(content, "app", { subject, artifactType: "application/vnd.dev.cosign.artifact.sig.v1+json" });
  const second = storeImage(content, [Buffer.from("another layer")]);
  for (const [name, digest] of Object.entries({ one: subject, two: second.digest })) {
    const { type, bytes } = content.manifests.get(digest) ?? { type: "", bytes: Buffer.alloc(0) };
    content.addManifest(`${name}:1`, type, bytes);
  }
  const folder = await temporaryFolder();
  const [pulled, output] = [join(folder, "pulled.tar"), join(folder, "out.tar")];
  const images = [
    { reference: `${host}/one:1`, name: "r.lan/one:1" },
    { reference: `${host}/two:1`, name: "r.lan/two:1" },
  ];
  await pull(images, { output: pulled, registry: PLAIN, platform: "linux/amd64" });
  await convert(pulled, { output, sign: { key: pair.pem } });
  return await readFile(output);
}

async function changed(path: string, change: (files: Files) => void): Promise<string> {
  const files = await filesOf(path);
  change(files);
  const to = join(await temporaryFolder(), "changed.tar");
  await writeFile(to, tarOf(files));
  return to;
}

const textOf = (files: Files, name: string): string => Buffer.from(files[name] ?? []).toString();
const edit = (name: string, change: (text: string) => string) => (files: Files) => {
  const text = change(textOf(files, name));
  if (text === textOf(files, name)) throw new Error(`${name} did not change`);
  files[name] = Buffer.from(text);
};
const editIndex = (change: (entries: object[]) => void) =>
  edit("index.json", text => {
    const index = JSON.parse(text);
    change(index.manifests);
    return JSON.stringify(index);
  });
/** With its id as it must be. */
const editLock = (change: (lock: Lock) => Partial<Lock>) =>
  edit(LOCK, text => {
    const lock = parseLock(Buffer.from(text), { where: "test" });
    return formatLock({ ...lock, ...change(lock) });
  });
const ABSENT: Digest = `sha256:${"a".repeat(64)}`;

let registry: ScriptedRegistry;
beforeEach(async () => {
  registry = await ScriptedRegistry.start();
});
const sent = (): readonly object[] => registry.requests.filter(({ method }) => method !== "GET" && method !== "HEAD");
const pushed = async (...paths: readonly string[]): Promise<unknown> =>
  await push(paths, { to: `${registry.host}/in`, registry: PLAIN, requireSignature: key });

describe("M-03 a signed archive", () => {
  test.each<[ArchiveFormat, string]>([
    ["universal", "out.tar"],
    ["oci", "out.tar"],
    ["oci", "layout/"],
  ])(
    "is accepted in the form %s as %s, whichever of the keys signed it, and pushed with what refers to it",
    async (...form) => {
      const [format, output] = form;
      const path = join(await temporaryFolder(), output);
      await convert(await signedArchive(), { output: path, format, sign: { key: pair.pem } });
      const { bundle, signatures, faults } = await verify(path, { key: [other.publicPem, key] });
      expect(faults).toEqual([]);
      expect(bundle).toMatchObject({ state: "signed", lock: expect.stringMatching(/^sha256:/) });
      expect(signatures).toMatchObject([{ valid: 0 }, { valid: 0 }]);
      expect(await pushed(path)).toMatchObject({ images: [{ referrers: { signatures: 1 } }, {}] });
    },
  );

  test("is accepted from a pipe and compressed; with --tag, no layer is sent while it is read", async () => {
    const path = await signedArchive();
    const zipped = await fileWith(gzipSync(await readFile(path)), "out.tar.gz");
    for (const input of [path, zipped]) {
      const stdin = createReadStream(input);
      expect(await verify("-", { key, stdin })).toMatchObject({ bundle: { state: "signed" }, faults: [] });
    }
    const bad = await changed(
      path,
      edit("imgpack.sig", text => `x${text.slice(1)}`),
    );
    const badZip = await fileWith(gzipSync(await readFile(bad)), "bad.tar.gz");
    const notes: string[] = [];
    const onProgress = (event: ProgressEvent): void => {
      if (event.kind === "note") notes.push(event.message);
    };
    const tag = `${registry.host}/in/app:1`;
    const image = { image: "r.lan/one:1", tag, registry: PLAIN, requireSignature: key, onProgress };
    await expect(push([badZip], image)).rejects.toMatchObject({ exitCode: 6 });
    await expect(push(["-"], { ...image, stdin: createReadStream(bad) })).rejects.toMatchObject({ exitCode: 6 });
    expect(sent()).toEqual([]);
    const reason = "because its signature is checked first";
    expect(notes).toEqual([
      `Reading the archive twice, ${reason}`,
      expect.stringMatching(new RegExp(`^Keeping compressed layers in a temporary file in .*, ${reason}$`)),
    ]);
  });

  const cases: Record<string, (files: Files) => void> = {
    "its lock has another platform": editLock(() => ({ platforms: ["linux/arm64"] })),
    "its lock assumes a blob": editLock(() => ({ assumes: [{ digest: ABSENT, size: 1, repositories: [] }] })),
    "its lock is of a set": editLock(({ blobs }) => ({
      set: { id: ABSENT, number: 1, of: 1, where: blobs.map(() => 1) },
    })),
    "its lock has other line ends": edit(LOCK, text => text.replaceAll("\n", "\r\n")),
    "its images have each other's names": files => {
      const swap = (text: string): string => text.replace(/one|two/g, name => (name === "one" ? "two" : "one"));
      edit("index.json", swap)(files);
      edit("manifest.json", swap)(files);
    },
    "an image has another name as well": editIndex(entries => {
      const annotations = { "io.containerd.image.name": "r.lan/evil:1", "org.opencontainers.image.ref.name": "1" };
      entries.push({ ...entries[0], annotations });
    }),
    "an image has another tag as well": editIndex(entries => {
      entries.push({ ...entries[0], annotations: { "org.opencontainers.image.ref.name": "evil" } });
    }),
    "an image has a tag that only some loaders read": edit("index.json", text =>
      text.replace('ref.name":"1"', 'ref.name":"evil"'),
    ),
    "an image is absent": editIndex(entries => void entries.pop()),
    "manifest.json has another name": edit("manifest.json", text =>
      text.replace('"RepoTags":[', '"RepoTags":["r.lan/evil:1",'),
    ),
    "it has a file of an older docker": files => {
      files["repositories"] = Buffer.from("{}");
    },
    "it has another blob": files => {
      files[`blobs/sha256/${ABSENT.slice(7)}`] = Buffer.from("evil");
    },
    "it has something else that refers to an image": files => {
      const { mediaType, digest, size } = JSON.parse(textOf(files, "index.json")).manifests[0];
      const [config, subject] = [
        { mediaType: OCI_CONFIG, digest, size },
        { mediaType, digest, size },
      ];
      const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [], subject }));
      const entry = { mediaType, digest: sha256(bytes), size: bytes.length };
      files[`blobs/sha256/${entry.digest.slice(7)}`] = bytes;
      editIndex(entries => void entries.push({ ...entry }))(files);
    },
    "its signature is of another key": files => {
      files["imgpack.sig"] = signBytes("sha256", files[LOCK] ?? Buffer.alloc(0), other.privateKey);
    },
    "its signature is empty": files => {
      files["imgpack.sig"] = Buffer.alloc(0);
    },
    "its signature is too large": files => {
      files["imgpack.sig"] = Buffer.alloc(20_000);
    },
  };
  test.each(Object.entries(cases))("is refused if %s", async (_, change) => {
    const path = await changed(await signedArchive(), change);
    const { bundle } = await verify(path, { key });
    expect(bundle).toEqual({ state: "refused", message: expect.stringMatching(/^Cannot .*, expected .*/) });
    await expect(pushed(path)).rejects.toMatchObject({ message: bundle?.message });
    expect(sent()).toEqual([]);
  });

  test("and one that is not signed next to it: nothing is sent, exit 5; a key that is none: exit 2", async () => {
    const path = await signedArchive();
    const bare = await changed(path, files => {
      delete files["imgpack.sig"];
    });
    const message = expect.stringContaining("it is not signed, expected a signature by a key that was given");
    await expect(pushed(path, bare)).rejects.toMatchObject({ exitCode: 5, message });
    expect(sent()).toEqual([]);
    expect(await verify(bare, { key })).toMatchObject({ bundle: { state: "unsigned", message } });
    await convert(path, { output: bare, format: "docker" });
    await expect(pushed(bare)).rejects.toThrow("it has no lock, and so no signature");
    const v1 = push([path], { to: "v1://r.lan/team", requireSignature: key });
    await expect(v1).rejects.toThrow("Cannot use --require-signature with a v1 registry");
    await expect(push([path], { requireSignature: pair.pem })).rejects.toThrow(
      "Cannot use requireSignature: found a private key",
    );
    expect(registry.requests).toEqual([]);
  });

  test("and imgpack verify and push say so, with the exit code", async () => {
    const path = await signedArchive();
    const bare = await changed(path, files => {
      delete files["imgpack.sig"];
    });
    const [pub, foreign] = [
      await fileWith(Buffer.from(key), "a.pub"),
      await fileWith(Buffer.from(other.publicPem), "b.pub"),
    ];
    expect(await runCommand("verify", path, "--key", foreign, "--key", pub)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/: signed by the key sha256:[0-9a-f]{64}, lock sha256:[0-9a-f]{64}\n/),
    });
    expect(await runCommand("verify", path, "--key", foreign)).toMatchObject({
      exitCode: 6,
      stderr: expect.stringContaining("its signature is not by a key that was given, or is of another lock"),
    });
    expect(await runCommand("verify", bare, "--key", pub)).toMatchObject({
      exitCode: 5,
      stderr: expect.stringContaining("it is not signed, and there is no signature of"),
    });
    const words = ["--to", `${registry.host}/in`, "--plain-http", "--require-signature"];
    expect(await runCommand("push", path, ...words, foreign)).toMatchObject({ exitCode: 6 });
    expect(sent()).toEqual([]);
    expect(await runCommand("push", path, ...words, foreign, "--require-signature", pub)).toMatchObject({
      exitCode: 0,
    });
  });
});
