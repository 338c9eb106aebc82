import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { convert, pull, verify } from "../../../src/index.ts";
import { runCommand } from "../../support/command-line.ts";
import { fileWith, storeImage, temporaryFolder } from "../../support/images.ts";
import { putReferrer, tagOf } from "../../support/referrer-manifests.ts";
import { ScriptedRegistry } from "../../support/scripted-registry.ts";

const SIGNED = fileURLToPath(new URL("../../../fixtures/signed/", import.meta.url));
const ARCHIVE = join(SIGNED, "signed.tar");
const SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json";

describe("verify() with a key", () => {
  test.each([
    ["ecdsa", 2],
    ["rsa", 1],
  ])("verify() accepts what cosign signed with a key of type %s, also after convert", async (name, valid) => {
    const key = await readFile(join(SIGNED, `${name}.pub`), "utf8");
    const { signatures, faults, unchecked } = await verify(ARCHIVE, { key });
    expect(faults).toEqual([]);
    expect(signatures).toMatchObject([{ valid }]);
    expect(unchecked.join()).toContain("the transparency log");
    if (name !== "ecdsa") return;
    for (const output of ["out.tar", "folder/"]) {
      const path = join(await temporaryFolder(), output);
      await convert(ARCHIVE, { output: path });
      expect((await verify(path, { key })).signatures).toMatchObject([{ valid }]);
    }
  });

  test("verify() says of an Ed25519 key that cosign 3 signs in a form that is not supported", async () => {
    const { signatures } = await verify(ARCHIVE, { key: await readFile(join(SIGNED, "ed25519.pub"), "utf8") });
    expect(signatures?.[0]).toMatchObject({
      valid: 0,
      refused: Array(4).fill({ message: expect.stringMatching(/Ed25519ph/) }),
    });
  });

  test("imgpack verify --key says what it does not check; another key: exit 6; without a signature: exit 5", async () => {
    const right = await runCommand("verify", ARCHIVE, "--key", join(SIGNED, "ecdsa.pub"));
    expect(right).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining("Not checked: the transparency log of signatures"),
    });
    expect(right.stdout).toContain("2 valid signatures");
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const other = await fileWith(Buffer.from(publicKey.export({ type: "spki", format: "pem" })), "other.pub");
    const wrong = await runCommand("verify", ARCHIVE, "--key", other);
    expect(wrong).toMatchObject({
      exitCode: 6,
      stdout: expect.stringContaining("key did not make, or an altered payload"),
    });
    const bare = join(await temporaryFolder(), "bare.tar");
    await convert(ARCHIVE, { output: bare, referrers: false });
    expect(await runCommand("verify", bare, "--key", join(SIGNED, "ecdsa.pub"))).toMatchObject({ exitCode: 5 });
    const none = await runCommand("verify", bare, "--key", ARCHIVE);
    expect(none).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("Cannot use key") });
  });

  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const pem = String(publicKey.export({ type: "spki", format: "pem" }));

  interface Signature {
    readonly payload: (digest: string) => string;
    readonly by?: KeyObject;
    readonly sent?: (payload: string, signature: string) => readonly [string, string];
  }

  /** An archive with an image that has this under cosign's tag. */
  async function signed({ payload, by = privateKey, sent }: Signature): Promise<string> {
    const registry = await ScriptedRegistry.start();
    const { digest } = storeImage(registry.content, [Buffer.from("layer")]);
    const text = payload(digest);
    const made = [text, sign(null, Buffer.from(text), by).toString("base64")] as const;
    const [body, signature] = sent?.(...made) ?? made;
    putReferrer(registry.content, "app", {
      tag: tagOf(digest, ".sig"),
      layer: Buffer.from(body),
      layerType: SIMPLE_SIGNING,
      layerAnnotations: { "dev.cosignproject.cosign/signature": signature },
    });
    const output = join(await temporaryFolder(), "out.tar");
    await pull([`${registry.host}/app:1`], { output, platform: "linux/amd64" });
    return output;
  }

  const payloadOf = (digest: string, type = "cosign container image signature"): string =>
    JSON.stringify({ critical: { identity: {}, image: { "docker-manifest-digest": digest }, type }, optional: null });

  test.each<[string, Signature, number, RegExp | undefined]>([
    ["the right payload", { payload: payloadOf }, 1, undefined],
    [
      "a payload of another image",
      { payload: () => payloadOf(`sha256:${"a".repeat(64)}`) },
      0,
      /the key signed "sha256:aaa/,
    ],
    ["an altered payload", { payload: payloadOf, sent: (text, made) => [`${text} `, made] }, 0, /altered payload/],
    [
      "a signature of another key",
      { payload: payloadOf, by: generateKeyPairSync("ed25519").privateKey },
      0,
      /did not make/,
    ],
    ["a signature that is no base64", { payload: payloadOf, sent: text => [text, "\u001b[31m"] }, 0, /not base64/],
    ["another type of payload", { payload: digest => payloadOf(digest, "other") }, 0, /payload of type "other"/],
    ["no JSON", { payload: () => "[" }, 0, /Cannot/],
  ])("verify() of %s", async (_name, signature, valid, message) => {
    const { signatures } = await verify(await signed(signature), { key: pem });
    expect(signatures).toMatchObject([
      { valid, refused: message === undefined ? [] : [{ message: expect.stringMatching(message) }] },
    ]);
  });

  test.each([
    ["a private key", String(privateKey.export({ type: "pkcs8", format: "pem" }))],
    [
      "a short RSA key",
      String(generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({ type: "spki", format: "pem" })),
    ],
    [
      "another curve",
      String(generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey.export({ type: "spki", format: "pem" })),
    ],
    ["a damaged key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"],
  ])("verify() refuses %s", async (_name, key) => {
    await expect(verify(ARCHIVE, { key })).rejects.toMatchObject({ exitCode: 2, message: /^Cannot use key: found / });
  });
});
