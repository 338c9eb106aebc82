import { constants, generateKeyPairSync, verify } from "node:crypto";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../../../src/errors.ts";
import { isEncryptedKey, parseSigningKey } from "../../../../src/oci/signatures/signing-key.ts";
import { keyPair } from "../../../support/signing-keys.ts";

const LOCK = Buffer.from('{"format":"imgpack-lock"}');
const CIPHER = { cipher: "aes-256-cbc", passphrase: "right" };
const [ed25519, ecdsa, rsa, rsaPss] = [keyPair("ed25519"), keyPair("ecdsa"), keyPair("rsa"), keyPair("rsa-pss")];
const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
const SHA512 = { hashAlgorithm: "sha512", mgf1HashAlgorithm: "sha512" } as const;

describe("parseSigningKey()", () => {
  test.each([
    ["Ed25519", ed25519, null, {}, 64],
    ["ECDSA P-256", ecdsa, "sha256", {}, 71],
    ["RSA", rsa, "sha256", PSS, 256],
    ["RSA-PSS", rsaPss, "sha256", PSS, 256],
  ] as const)(
    "a key of type %s signs the bytes as openssl does, always with the same size",
    (_, pair, hash, how, bytes) => {
      const { sign, signatureBytes } = parseSigningKey(pair.pem, undefined, "key");
      expect(signatureBytes).toBe(bytes);
      const signatures = Array.from({ length: 8 }, () => sign(LOCK));
      for (const signature of signatures) {
        expect(signature?.bytes).toHaveLength(bytes);
        expect(verify(hash, LOCK, { key: pair.publicPem, ...how }, signature?.bytes ?? Buffer.alloc(0))).toBe(true);
        expect(signatures[0]?.isAlike(signature?.bytes ?? Buffer.alloc(0))).toBe(true);
        expect(signature?.isAlike(Buffer.alloc(bytes))).toBe(false);
      }
      expect(sign(Buffer.from("another lock"))?.isAlike(signatures[0]?.bytes ?? Buffer.alloc(0))).toBe(false);
    },
  );

  test("the passphrase opens a key in the new form and in the older ones", () => {
    const texts = [
      ed25519.privateKey.export({ type: "pkcs8", format: "pem", ...CIPHER }),
      ecdsa.privateKey.export({ type: "sec1", format: "pem", ...CIPHER }),
      rsa.privateKey.export({ type: "pkcs1", format: "pem", ...CIPHER }),
    ].map(String);
    for (const pem of texts) {
      expect(isEncryptedKey(pem)).toBe(true);
      expect(parseSigningKey(pem, "right", "key").sign(LOCK)?.bytes.length).toBeGreaterThan(0);
      expect(() => parseSigningKey(pem, "wrong", "key")).toThrow(/found a key that the passphrase does not open/);
      expect(() => parseSigningKey(pem, undefined, "key")).toThrow(/found an encrypted key and no passphrase/);
    }
    // As with "openssl ecparam -genkey", whose first block is no key.
    const sec1 = String(ecdsa.privateKey.export({ type: "sec1", format: "pem" }));
    const parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    expect(parseSigningKey(parameters + sec1, undefined, "key").signatureBytes).toBe(71);
    expect(isEncryptedKey(sec1)).toBe(false);
  });

  test.each([
    ["a public key", ed25519.publicPem],
    ["no private key", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
    ["no private key", ""],
    ["a damaged private key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"],
    ["a key in cosign's own form", "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA\n"],
    ["more than 65536 bytes", " ".repeat(65_537)],
    ["a key of type x25519", pemOf(generateKeyPairSync("x25519"))],
    ["a key of type secp256k1", pemOf(generateKeyPairSync("ec", { namedCurve: "secp256k1" }))],
    ["an RSA key of 1024 bits, which is too short", pemOf(generateKeyPairSync("rsa", { modulusLength: 1024 }))],
    ["an RSA key for sha512 alone", pemOf(generateKeyPairSync("rsa-pss", { modulusLength: 2048, ...SHA512 }))],
  ])("parseSigningKey() refuses %s, and shows nothing of the text", (found, pem) => {
    const refused = attempt(pem);
    expect(refused).toBeInstanceOf(UsageError);
    const expected = "expected a private key in PEM (Ed25519, ECDSA P-256 or RSA)";
    expect(refused).toMatchObject({ message: `Cannot use key: found ${found}, ${expected}` });
  });
});

function pemOf({ privateKey }: ReturnType<typeof generateKeyPairSync>): string {
  return String(privateKey.export({ type: "pkcs8", format: "pem" }));
}

function attempt(pem: string): unknown {
  try {
    return parseSigningKey(pem, undefined, "key");
  } catch (error) {
    return error;
  }
}
