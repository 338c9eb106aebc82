import { constants, createPublicKey, type KeyObject, verify } from "node:crypto";
import { UsageError } from "../../errors.ts";

export const MAX_PEM_BYTES: number = 64 * 1024;
export const MIN_RSA_BITS = 2048;

/** Checks signatures with one key, as cosign makes them. */
export interface PublicKey {
  /** For messages: "ECDSA P-256". */
  readonly kind: string;
  isValid(payload: Uint8Array, signature: Uint8Array): boolean;
}

/**
 * A key of `cosign generate-key-pair` (ECDSA P-256), or one that it imports: Ed25519, or RSA with PKCS #1 v1.5.
 *
 * @param where names the key in messages.
 * @throws UsageError for anything else.
 */
export function parsePublicKey(pem: string, where: string): PublicKey {
  const bad = (found: string): UsageError =>
    new UsageError(`Cannot use ${where}: found ${found}, expected a public key in PEM (ECDSA P-256, Ed25519 or RSA)`, {
      hint: 'Make one with "cosign public-key --key cosign.key".',
    });
  if (pem.length > MAX_PEM_BYTES) throw bad(`more than ${MAX_PEM_BYTES} bytes`);
  // Node would take the public half of it.
  if (/PRIVATE KEY/.test(pem)) throw bad("a private key, which belongs nowhere near an archive");
  if (!/-----BEGIN PUBLIC KEY-----/.test(pem)) throw bad("no public key");
  let key: KeyObject;
  try {
    key = createPublicKey({ key: pem, format: "pem" });
  } catch {
    throw bad("a damaged public key");
  }
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === "ec" && namedCurve === "prime256v1") {
    const dsa = { key, dsaEncoding: "der" } as const;
    return { kind: "ECDSA P-256", isValid: (payload, signature) => verify("sha256", payload, dsa, signature) };
  }
  if (key.asymmetricKeyType === "ed25519") {
    return { kind: "Ed25519", isValid: (payload, signature) => verify(null, payload, key, signature) };
  }
  if (key.asymmetricKeyType !== "rsa") throw bad(`a key of type ${namedCurve ?? key.asymmetricKeyType ?? "unknown"}`);
  if (modulusLength < MIN_RSA_BITS) throw bad(`an RSA key of ${modulusLength} bits, which is too short`);
  const rsa = { key, padding: constants.RSA_PKCS1_PADDING };
  return {
    kind: `RSA ${modulusLength}`,
    isValid: (payload, signature) => verify("sha256", payload, rsa, signature),
  };
}
