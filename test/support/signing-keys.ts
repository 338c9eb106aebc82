import { generateKeyPairSync, type KeyObject } from "node:crypto";

/** A key pair, made once for a file of tests. */
export interface KeyPair {
  readonly privateKey: KeyObject;
  /** PKCS #8 in PEM. */
  readonly pem: string;
  /** In PEM. */
  readonly publicPem: string;
}

export function keyPair(type: "ed25519" | "ecdsa" | "rsa" | "rsa-pss"): KeyPair {
  const { privateKey, publicKey } = generate(type);
  return {
    privateKey,
    pem: String(privateKey.export({ type: "pkcs8", format: "pem" })),
    publicPem: String(publicKey.export({ type: "spki", format: "pem" })),
  };
}

function generate(type: Parameters<typeof keyPair>[0]): {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
} {
  if (type === "ed25519") return generateKeyPairSync("ed25519");
  if (type === "ecdsa") return generateKeyPairSync("ec", { namedCurve: "P-256" });
  return type === "rsa"
    ? generateKeyPairSync("rsa", { modulusLength: 2048 })
    : generateKeyPairSync("rsa-pss", { modulusLength: 2048 });
}
